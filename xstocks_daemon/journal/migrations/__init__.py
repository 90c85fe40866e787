"""The journal's migrations, run when it is opened."""
