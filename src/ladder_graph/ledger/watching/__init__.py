"""What goes on after an action: windows, what is measured in them, what came in from outside, who works them off."""
