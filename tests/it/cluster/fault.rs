//! What happens to nodes, to their lines and to their server.

use fastrand::Rng;

/// The number of nodes.
pub const NODES: usize = 3;

/// A fault. A node is named by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterFault {
    /// It is killed with -9, and started again.
    Kill(usize),
    /// It stands still for longer than its lease, and goes on.
    StandStill(usize),
    /// It is stopped as it should, and started again.
    Stop(usize),
    /// The line to the server is dead for longer than a lease, and no end notices it.
    CutLine(usize),
    /// It is started again with a clock that is wrong by so many seconds.
    WrongClock(usize, i64),
    /// A rule is edited in the folder of this node.
    EditRules(usize),
    /// The server is stopped at once, and started again.
    RestartServer,
    /// The server is killed with -9, and started again.
    KillServer,
}

impl ClusterFault {
    /// The number of kinds.
    pub const KINDS: usize = 8;

    /// The fault with this number: every kind comes once before one comes again.
    pub fn choose(rng: &mut Rng, number: usize) -> Self {
        let node = rng.usize(0..NODES);
        match number % Self::KINDS {
            0 => Self::Kill(node),
            1 => Self::StandStill(node),
            2 => Self::EditRules(node),
            3 => Self::Stop(node),
            4 => Self::CutLine(node),
            5 => Self::WrongClock(node, if rng.bool() { 300 } else { -300 }),
            6 => Self::RestartServer,
            _ => Self::KillServer,
        }
    }
}
