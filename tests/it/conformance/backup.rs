//! Copies of the whole database: a file beside a file, so SQLite's alone. A server is backed up by its own tools.

use dialdeck::{
    domain::{call::State, id::CallId},
    store::{Store, StoreError},
};

use super::House;

databases!(only sqlite: a_copy_is_made_while_others_write_and_is_put_back,);

async fn a_copy_is_made_while_others_write_and_is_put_back(house: House) {
    let h = house.ids;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy.db");
    assert!(house.store.bytes().await.unwrap() > 10_000 && house.store.free_bytes().is_some());
    house.store.check_pages().await.unwrap();
    let (version, name) = house.store.schema_version().await.unwrap();
    assert!(version >= 16 && !name.is_empty());
    let waits = house.queue(|_| {}).await;
    let ended = house.ended(State::Busy, 5, |_| {}).await;
    house.store.copy_into(&path).await.unwrap();
    assert_eq!(Store::open_existing(&format!("sqlite:{}", path.display())).await.unwrap().schema_version().await.unwrap().0, version);
    assert!(house.store.copy_into(&path).await.is_err(), "there is a file");
    let waiting = house.claim(&waits).await;
    let rang = house.arm(&waiting, |_| {}).await;
    let later = house.dial(|_| {}).await;
    let (file, number) = (path.display().to_string(), later.phone_number.clone());
    // A backup is attached by whoever restores, outside of a transaction's writes: all of it is asked in one.
    let seen = house
        .store
        .write(dialdeck::store::Lane::Urgent, move |tx| {
            Box::pin(async move {
                tx.attach_backup(&file).await?;
                let since = tx.gone_on_since().await?;
                let rung: Vec<CallId> = tx.rung_since().await?;
                let numbers = tx.numbers_rung_since().await?.len();
                tx.hold_numbers(&[("+1999".into(), h.after(60))]).await?;
                tx.hold_numbers(&[(number, h.after(60))]).await?;
                tx.hold_numbers(&[]).await?;
                let live = tx.count_live().await?;
                tx.take_rows_of_backup().await?;
                Ok::<_, StoreError>((since, rung, numbers, live))
            })
        })
        .await
        .unwrap();
    assert_eq!(seen, ((2, 0), vec![rang.id], 2, 2));
    assert_eq!((house.call(rang.id).await.state, house.call(ended.id).await.state), (State::Pending, State::Busy));
    assert!(house.store.any_call(later.id).await.unwrap().is_none());
}
