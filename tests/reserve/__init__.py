"""The reserve as others read it."""
