//! Servers as child processes, generators and golden comparison for the tests.
