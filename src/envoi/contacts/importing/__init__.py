"""Reading files of contacts: plain functions from bytes to people, without a database. Public to other domains."""
