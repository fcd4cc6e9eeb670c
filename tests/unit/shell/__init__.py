"""The shell: real sockets and files on this machine, no broker."""
