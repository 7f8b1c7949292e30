"""How the parts are put together: settings, URLs and the list of recurring work."""
