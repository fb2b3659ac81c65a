//! Assistants, the numbers they call from, and who makes what a number needs.

use dialdeck::{
    domain::id::{AssistantId, TrunkId},
    store::{AssistantRow, StoreError},
};

use super::{FOREIGN, House, assistant, trunk};

databases!(
    assistants_are_their_owners_and_the_newest_is_first,
    an_assistant_is_edited_and_deleted_and_its_numbers_lose_it,
    numbers_point_at_their_last_assistant_and_trunk,
    what_an_assistant_calls_by_is_its_newest_active_number_with_a_trunk,
    a_number_is_made_ready_by_one_at_a_time,
);

async fn assistants_are_their_owners_and_the_newest_is_first(house: House) {
    let h = house.ids;
    let mut later = assistant(AssistantId::fresh(), h.owner, FOREIGN, h.after(1));
    (later.agent_name, later.prompt, later.language) = (Some(FOREIGN.into()), FOREIGN.repeat(40), "pt-BR".into());
    let latest = assistant(AssistantId::fresh(), h.owner, "", h.after(1));
    let theirs = assistant(AssistantId::fresh(), h.stranger, "Sarah", h.after(9));
    let rows = [later.clone(), latest.clone(), theirs.clone()];
    tx!(house, |tx| {
        for row in &rows {
            tx.insert_assistant(row).await?;
        }
    });
    let id = |rows: &[AssistantRow]| rows.iter().map(|a| a.id).collect::<Vec<_>>();
    assert_eq!(id(&house.store.assistants(h.owner).await.unwrap()), [latest.id, later.id, h.assistant]);
    let page = house.store.assistants_page(h.owner, 2, 1).await.unwrap();
    assert_eq!((id(&page.rows), page.total), (vec![later.id, h.assistant], 3));
    let beyond = house.store.assistants_page(h.owner, 2, 3).await.unwrap();
    assert_eq!((beyond.rows.len(), beyond.total), (0, 3));
    let nobody = house.store.assistants_page(dialdeck::domain::id::OwnerId(uuid::Uuid::nil()), 2, 0).await.unwrap();
    assert_eq!((nobody.rows.len(), nobody.total), (0, 0));
    let read = house.store.assistant(h.owner, later.id).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{later:?}"), "as it was written");
    let (mine, other) = tx!(house, |tx| (tx.assistant(h.owner, latest.id).await?, tx.assistant(h.owner, theirs.id).await?));
    assert_eq!((mine.map(|a| a.agent_name), other.is_none()), (Some(None), true));
    assert!(house.store.assistant(h.owner, theirs.id).await.unwrap().is_none());
    let twice = try_tx!(house, |tx| tx.insert_assistant(&latest).await?);
    assert!(matches!(twice, Err(StoreError::Unique)), "{twice:?}");
}

async fn an_assistant_is_edited_and_deleted_and_its_numbers_lose_it(house: House) {
    let h = house.ids;
    let other = AssistantId::fresh();
    tx!(house, |tx| {
        tx.insert_assistant(&assistant(other, h.owner, "Zoe", h.now)).await?;
        tx.put_number(h.owner, "+15550001111", other, "ST_1", "main", None, h.now).await?;
    });
    let named = async |name: &'static str, but| tx!(house, |tx| tx.assistant_is_named(h.owner, name, but).await?);
    assert!(named("SARAH", other).await && !named("sarah", h.assistant).await && !named("Sara", other).await);
    assert!(!tx!(house, |tx| tx.assistant_is_named(h.stranger, "Sarah", other).await?));
    tx!(house, |tx| tx.edit_assistant(other, FOREIGN, Some("agent"), FOREIGN, h.after(5)).await?);
    let row = house.store.assistant(h.owner, other).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.agent_name.as_deref(), row.prompt.as_str()), (FOREIGN, Some("agent"), FOREIGN));
    tx!(house, |tx| tx.edit_assistant(other, "Zoe", None, "", h.after(6)).await?);
    assert_eq!(house.store.assistant(h.owner, other).await.unwrap().unwrap().agent_name, None);

    assert_eq!(tx!(house, |tx| tx.campaign_of_assistant(other).await?), None);
    let gone = house.campaign(|c| (c.name, c.assistant) = ("Gone".into(), other)).await;
    tx!(house, |tx| tx.delete_campaign(gone, h.now).await?);
    assert_eq!(tx!(house, |tx| tx.campaign_of_assistant(other).await?), Some(("Gone".into(), true)));
    house.campaign(|c| (c.name, c.assistant) = ("There".into(), other)).await;
    assert_eq!(tx!(house, |tx| tx.campaign_of_assistant(other).await?), Some(("There".into(), false)), "one that is there first");

    let free = AssistantId::fresh();
    tx!(house, |tx| {
        tx.insert_assistant(&assistant(free, h.owner, "Free", h.now)).await?;
        tx.put_number(h.owner, "+15550002222", free, "ST_1", "main", None, h.now).await?;
    });
    tx!(house, |tx| tx.delete_assistant(free).await?);
    assert!(house.store.assistant(h.owner, free).await.unwrap().is_none());
    let number = house.store.numbers(h.owner).await.unwrap().into_iter().find(|n| n.number == "+15550002222").unwrap();
    assert_eq!((number.assistant_id, number.assistant_name, number.outbound_trunk_id.as_deref()), (None, None, Some("ST_1")));
    assert!(try_tx!(house, |tx| tx.delete_assistant(other).await?).is_err(), "a campaign names it");
}

async fn numbers_point_at_their_last_assistant_and_trunk(house: House) {
    let h = house.ids;
    let other = AssistantId::fresh();
    tx!(house, |tx| {
        tx.insert_assistant(&assistant(other, h.owner, FOREIGN, h.now)).await?;
        tx.put_number(h.owner, "+15550001111", h.assistant, "ST_9", "gone", Some("ST_IN"), h.after(1)).await?;
        tx.put_number(h.owner, "+15550001111", other, "ST_1", FOREIGN, None, h.after(2)).await?;
        tx.put_number(h.stranger, "+15550003333", other, "ST_1", "", None, h.after(3)).await?;
    });
    let all = house.store.numbers(h.owner).await.unwrap();
    assert_eq!(all.iter().map(|n| n.number.as_str()).collect::<Vec<_>>(), ["+15550001111", "+15550009999"], "newest first");
    let n = &all[0];
    assert_eq!((n.assistant_id, n.assistant_name.as_deref(), n.outbound_trunk_name.as_deref()), (Some(other), Some(FOREIGN), Some(FOREIGN)));
    assert_eq!((n.inbound_trunk_id.as_deref(), n.trunk_id, n.created_at), (Some("ST_IN"), Some(h.trunk), h.after(1)), "what came in stays");
    let page = house.store.numbers_page(h.owner, 1, 1).await.unwrap();
    assert_eq!((page.rows[0].number.as_str(), page.rows[0].inbound_trunk_id.as_deref(), page.total), ("+15550009999", None, 2));
    assert_eq!(house.store.numbers_page(h.owner, 1, 2).await.unwrap().rows.len(), 0);

    assert!(house.store.number_is_anothers(h.owner, "+15550003333").await.unwrap());
    assert!(!house.store.number_is_anothers(h.owner, "+15550001111").await.unwrap());
    assert!(!house.store.number_is_anothers(h.owner, "+15550000000").await.unwrap());
    let owners = tx!(house, |tx| [tx.number_owner("+15550003333").await?, tx.number_owner("+15550001111").await?, tx.number_owner("+1").await?]);
    assert_eq!(owners, [Some(h.stranger), Some(h.owner), None]);
}

async fn what_an_assistant_calls_by_is_its_newest_active_number_with_a_trunk(house: House) {
    let h = house.ids;
    let (other, second) = (AssistantId::fresh(), TrunkId::fresh());
    tx!(house, |tx| tx.insert_assistant(&assistant(other, h.owner, "Zoe", h.now)).await?);
    assert!(house.store.number_of(other).await.unwrap().is_none() && house.store.outgoing(other).await.unwrap().is_none());
    tx!(house, |tx| {
        tx.put_trunk(&trunk(second, h.owner, "ST_2"), h.now).await?;
        tx.put_number(h.owner, "+15550001111", h.assistant, "ST_2", "second", None, h.after(1)).await?;
        // Its trunk is not known here.
        tx.put_number(h.owner, "+15550002222", h.assistant, "ST_3", "third", None, h.after(2)).await?;
    });
    assert_eq!(house.store.number_of(h.assistant).await.unwrap().unwrap().number, "+15550002222");
    let out = house.store.outgoing(h.assistant).await.unwrap().unwrap();
    assert_eq!((out.trunk_id, out.livekit_id.as_str(), out.caller_id.as_str()), (second, "ST_2", "+15550001111"));
    let t = out.trunk;
    assert_eq!((t.trunk_live, t.trunk_max_live, t.trunk_tokens, t.trunk_refilled_at), (Some(0), Some(50), Some(1.0), Some(h.now)));
    assert_eq!(t.trunk_countries.unwrap().0, ["US", "GB"]);
    let by = async |number: Option<&'static str>, trunk: Option<&'static str>| {
        tx!(house, |tx| tx.outgoing_by(h.assistant, number, trunk).await?).map(|o| o.caller_id)
    };
    assert_eq!(by(None, None).await.as_deref(), Some("+15550001111"));
    assert_eq!(by(Some("+15550009999"), None).await.as_deref(), Some("+15550009999"));
    assert_eq!(by(None, Some("ST_1")).await.as_deref(), Some("+15550009999"));
    assert_eq!(by(Some("+15550009999"), Some("ST_2")).await, None);
    assert_eq!(house.store.assistant_of_trunk(h.owner, "ST_2").await.unwrap(), Some(h.assistant));
    assert_eq!(house.store.assistant_of_trunk(h.owner, "ST_3").await.unwrap(), None);
    assert_eq!(house.store.assistant_of_trunk(h.stranger, "ST_2").await.unwrap(), None);
}

async fn a_number_is_made_ready_by_one_at_a_time(house: House) {
    let h = house.ids;
    let (a, b) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let take = async |by, until, now| tx!(house, |tx| tx.take_assigning("+1555", by, h.after(until), h.after(now)).await?);
    assert_eq!(house.store.assigned_until("+1555").await.unwrap(), None);
    assert!(take(a, 30, 0).await && !take(b, 60, 29).await, "while another does");
    assert!(tx!(house, |tx| tx.keep_assigning("+1555", a, h.after(40)).await?));
    assert_eq!(house.store.assigned_until("+1555").await.unwrap(), Some(h.after(40)));
    assert!(!tx!(house, |tx| tx.keep_assigning("+1555", b, h.after(99)).await?));
    assert!(take(b, 90, 40).await, "whoever had it is heard of no more");
    assert!(!tx!(house, |tx| tx.keep_assigning("+1555", a, h.after(99)).await?));
    tx!(house, |tx| tx.end_assigning("+1555", a).await?);
    assert_eq!(house.store.assigned_until("+1555").await.unwrap(), Some(h.after(90)), "not theirs to give back");
    tx!(house, |tx| tx.end_assigning("+1555", b).await?);
    assert_eq!(house.store.assigned_until("+1555").await.unwrap(), None);
}
