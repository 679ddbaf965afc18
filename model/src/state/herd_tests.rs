//! Tests of the herd.
