"""How good a result is: lips against sound, and the result against its source."""
