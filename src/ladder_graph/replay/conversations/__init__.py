"""Runs put together from what was recorded: messages and spans, in whatever form, read into one."""
