"""What `fealty up --demo` plays, in the order of :mod:`cli.demo.play`."""
