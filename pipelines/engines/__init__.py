"""What paints the mouth: one folder per engine behind one interface."""
