"""What is known before any job runs: the code that each rule depends on, the files that exist already."""
