//! The knobs: replies that are lost, webhooks that are dropped, late, doubled or out of order, workers
//! that are full.

/// The knobs. Probabilities are 0 to 1, each event rolls its own.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    pub seed: u64,
    pub webhook_drop: f64,
    /// Each event waits up to this long.
    pub webhook_delay_ms: u64,
    pub webhook_duplicate: f64,
    /// Swaps an event with its successor.
    pub webhook_reorder: f64,
    /// The connection breaks instead of a dial's reply; the call lives.
    pub lost_reply: f64,
    /// HTTP 500 once the phone rings; the call lives.
    pub error_after_ringing: f64,
    /// The dial's reply waits another 40 s; the call does not.
    pub slow_reply: f64,
    /// A dispatch that brings no agent.
    pub agent_missing: f64,
    /// An agent that breaks down once somebody has answered.
    pub agent_leaves: f64,
    /// An agent whose worker dies once somebody has answered: listed 20 s more.
    pub agent_dies: f64,
    /// An INVITE that the trunk does not answer.
    pub trunk_silent: f64,
    pub workers: Workers,
    /// `room.enable_remote_unmute` of the server.
    pub remote_unmute: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workers {
    Ready,
    /// All refuse: answered 200, no agent comes.
    Full,
    Absent,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 1,
            webhook_drop: 0.0,
            webhook_delay_ms: 0,
            webhook_duplicate: 0.0,
            webhook_reorder: 0.0,
            lost_reply: 0.0,
            error_after_ringing: 0.0,
            slow_reply: 0.0,
            agent_missing: 0.0,
            agent_leaves: 0.0,
            agent_dies: 0.0,
            trunk_silent: 0.0,
            workers: Workers::Ready,
            remote_unmute: true,
        }
    }
}
