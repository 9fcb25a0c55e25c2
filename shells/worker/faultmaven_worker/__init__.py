"""The worker shell: runs jobs beside other workers, woken by a broker."""
