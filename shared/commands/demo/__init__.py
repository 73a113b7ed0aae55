"""What `fealty up --demo` plays, in the order of :mod:`shared.commands.demo.play`."""
