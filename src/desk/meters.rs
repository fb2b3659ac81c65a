//! What the desk counts of its own work since this process began: atomic additions, read by whoever asks.

use prometheus_client::metrics::{
    counter::Counter,
    family::Family,
    histogram::{Histogram, exponential_buckets},
};

/// A label and its value.
pub type Label = [(&'static str, &'static str); 1];

#[derive(Clone)]
pub struct Meters {
    /// Calls armed: the request for each was sent once.
    pub dials: Counter,
    /// Calls that a gate turned away, by its name.
    pub refusals: Family<Label, Counter>,
    /// From the wish to arm to its commit, seconds.
    pub arm: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        Self { dials: Counter::default(), refusals: Family::default(), arm: Histogram::new(exponential_buckets(0.001, 2.0, 14)) }
    }
}

impl Meters {
    pub(super) fn refused(&self, gate: &'static str) {
        self.refusals.get_or_create(&[("gate", gate)]).inc();
    }
}
