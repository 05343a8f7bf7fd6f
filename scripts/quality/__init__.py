"""What `make quality` prints: how much the tests run, how much they would notice, and how many there are."""
