"""What is done in the room: plans committed, models assessed, determinations issued."""
