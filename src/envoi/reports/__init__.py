"""Numbers to read, put together from what delivery and tracking know. Owns no tables and changes nothing."""
