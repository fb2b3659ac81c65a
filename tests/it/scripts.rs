//! A script that asks for what its contacts do not have.

use dialdeck::{
    desk::{DeskError, Recycle},
    domain::{call::State, campaign::Status, id::CampaignId},
    store::{CallFilter, CampaignEdit},
};

use crate::support::{csv_of, office::Office};

async fn speak(office: &Office, id: CampaignId, prompt: &str) {
    let row = office.row(id).await;
    let edit = CampaignEdit { name: row.name.clone(), assistant: row.assistant_id, prompt: prompt.into(), agent_name: None, settings: row.settings() };
    office.desk.edit_campaign(office.actor.clone(), id, edit).await.unwrap();
}

/// How many of its calls were not made for want of a field.
async fn passed_by(office: &Office, id: CampaignId) -> usize {
    let rows = office.store.calls(id, &CallFilter::default(), 1000, 0).await.unwrap().rows;
    rows.iter().filter(|r| r.state == State::Failed && r.armed_at.is_none() && r.reason.starts_with("missing field ")).count()
}

#[tokio::test]
async fn a_field_that_nobody_has_pauses_the_campaign_and_uses_nobody_up() {
    let (office, id) = Office::calling(csv_of(30), |_| {}).await;
    office.dial(id).await.expect("the script is right so far");
    speak(&office, id, "Hello {name} of {naam}").await;
    let waiting = office.row(id).await.counts.pending;
    assert_eq!(office.dial(id).await, Err("empty"));
    let row = office.row(id).await;
    assert_eq!((row.execution_status, row.status_actor.as_str(), row.counts.pending), (Status::Paused, "breaker", waiting));
    assert!(row.status_reason.contains("{naam}") && row.status_reason.contains("{naam|"), "{}", row.status_reason);
    assert_eq!(passed_by(&office, id).await, 0);
    speak(&office, id, "Hello {name} of {naam|your company}").await;
    office.desk.resume(office.actor.clone(), id).await.unwrap();
    office.dial(id).await.expect("and goes on");
}

#[tokio::test]
async fn a_field_that_some_have_passes_the_others_by_and_recycle_brings_them_back() {
    let people: Vec<_> = (0..20).map(|i| format!("P {i},+1202555{:04},{}", 100 + i, if i % 2 == 0 { "Acme" } else { "" })).collect();
    let (office, id) = Office::calling(format!("name,phone,company\n{}\n", people.join("\n")), |s| s.retry.max_attempts = 1).await;
    speak(&office, id, "Hello {name} of {company}").await;
    let mut dialled = 0;
    loop {
        match office.dial(id).await {
            Ok(_) => dialled += 1,
            Err("empty") if office.row(id).await.counts.pending > 0 => {}
            Err(why) => break assert_eq!(why, "empty"),
        }
    }
    assert_eq!((dialled, passed_by(&office, id).await, office.row(id).await.execution_status), (10, 10, Status::Running));
    // One attempt each was allowed, and of these none was used.
    speak(&office, id, "Hello {name} of {company|your company}").await;
    let recycle = |what| office.desk.recycle(office.actor.clone(), id, what);
    let nobody = recycle(Recycle { no_answer: true, ..Recycle::default() }).await;
    assert!(matches!(nobody, Err(DeskError::Refused(_))), "{nobody:?}");
    let what = Recycle::default().with("missing_field").unwrap();
    assert_eq!(recycle(what).await.unwrap(), 10);
    office.dial(id).await.expect("they are called now");
    let Err(DeskError::Refused(each)) = recycle(what).await else { panic!("each once") };
    assert!(each.message.ends_with("; 10 contacts wait for their next attempt already"), "{}", each.message);
}
