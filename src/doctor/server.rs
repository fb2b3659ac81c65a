//! A server that hosts share: how far it is, what time it has, how many connections it can give.

use chrono::TimeDelta;

use super::Finding;
use crate::{
    config::Config,
    desk::{Desk, DeskError, SKEW},
    store::{ServerLook, Store},
};

/// A clock that is off by so much is told, though it holds nothing yet.
const OFF: TimeDelta = TimeDelta::seconds(5);

/// What is wrong with it; nothing where it is a file.
pub async fn server(desk: &Desk, config: &Config) -> Result<Vec<Finding>, DeskError> {
    let Some(look) = desk.store().look_at_server().await? else { return Ok(Vec::new()) };
    let found = [distance(desk, &look), clock(desk, &look), connections(desk, config).await?];
    Ok(found.into_iter().flatten().collect())
}

fn distance(desk: &Desk, look: &ServerLook) -> Option<Finding> {
    let far = desk.store().round_trip().filter(|far| *far > Store::FAR)?;
    let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
    let words = format!("{} is {:.1} ms away, there and back: all hosts write in turns, and each turn takes several", desk.store().path(), ms(far));
    let way_out = "run dialdeck beside its database, under 1 ms away";
    if far > desk.reach() {
        let limit = format!("beyond {} ms this host dials nothing while another process writes too ({} do now)", ms(desk.reach()), look.writers - 1);
        return Some(Finding::bad("database_far", format!("{words}; {limit}"), format!("{way_out}; or allow more: [database] max_round_trip_ms")));
    }
    Some(Finding::warning("database_far", words, way_out))
}

fn clock(desk: &Desk, look: &ServerLook) -> Option<Finding> {
    let off = desk.ahead_of_database(look);
    if off.abs() < OFF {
        return None;
    }
    let words = format!("this host's clock is {} s {} the database's", off.num_seconds().abs(), if off > TimeDelta::zero() { "ahead of" } else { "behind" });
    let way_out = "set the clock right on both hosts: `timedatectl set-ntp true`";
    Some(if off.abs() > SKEW {
        Finding::bad("database_clock", format!("{words}: this host dials nothing meanwhile"), way_out)
    } else {
        Finding::warning("database_clock", words, way_out)
    })
}

async fn connections(desk: &Desk, config: &Config) -> Result<Option<Finding>, DeskError> {
    let Some(c) = desk.store().connections().await? else { return Ok(None) };
    let one = i64::from(config.connections);
    if c.used + one <= c.most {
        return Ok(None);
    }
    let words = format!("the server has {} of {} connections in use ({} of them dialdeck's): one more process may want {one}", c.used, c.most, c.ours);
    Ok(Some(Finding::warning("database_connections", words, "raise the server's max_connections, or lower [database] connections on each host")))
}
