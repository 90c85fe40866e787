"""The statement API as the daemon uses it: its wire form, asking the custodians, and verifying what they say."""
