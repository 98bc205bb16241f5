//! Tells receivers of one another: who is away for an hour, who refuses what it is sent.

use tracing::warn;

use crate::alert::breaker::Health;
use crate::alert::notice::{Kind, Notice};
use crate::daemon::clock::now;
use crate::daemon::{World, receivers};
use crate::store::{Standing, StoreError};
use crate::story::NotifierName;

/// Writes a notice to the others for every notifier that they should hear is away, and for every refusal that nobody heard of.
pub(super) async fn announce(world: &World, standing: &Standing) -> Result<(), StoreError> {
    let away = standing.away.iter().filter(|(_, health)| health.is_worth_telling(now()));
    let down = away.map(|(name, health)| down(name, health));
    for notice in down.chain(standing.untold_refusals().cloned()) {
        tell(world, notice).await?;
    }
    Ok(())
}

fn down(name: &NotifierName, health: &Health) -> Notice {
    Notice { kind: Kind::Down, notifier: name.clone(), recipient: None, since: health.since, why: health.why.clone() }
}

async fn tell(world: &World, notice: Notice) -> Result<(), StoreError> {
    let audience = notice.audience(&receivers(&world.config));
    if audience.is_empty() {
        let (subject, since, why) = (notice.subject(), notice.since, &notice.why);
        match notice.kind {
            Kind::Refused => warn!("{subject} refuses messages since {since}, and there is nobody else to tell: {why}"),
            Kind::Down | Kind::Back => {
                warn!("{subject} takes no messages since {since}, and there is nobody else to tell: {why}");
            }
        }
    }
    world.store.announce(notice, audience, now()).await
}
