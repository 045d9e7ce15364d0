"""What a running program offers on top of its sessions: files with disk, progress and resume."""
