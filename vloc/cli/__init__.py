"""The command line: flags, exit statuses, one file a command."""
