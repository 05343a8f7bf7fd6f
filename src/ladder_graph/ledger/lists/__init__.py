"""What people look at: long lists a page at a time, and single items. Never on the gate's path."""
