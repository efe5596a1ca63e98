"""The command line; every command's module is imported only when it is used."""
