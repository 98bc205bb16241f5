//! Tests of the whole, with the real binary and real servers on loopback.
