"""The four places where customers see notices, in a real browser: own page, script tag, JSON API, WordPress."""
