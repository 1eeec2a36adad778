"""What tests of several rooms share: a clock and identifiers under the test's control."""
