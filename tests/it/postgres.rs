//! PostgreSQL's schema: that of SQLite in its own types, closed between owners, brought up to date by `migrate`.

use crate::support::postgres;

#[tokio::test]
async fn a_database_that_is_up_to_date_is_left_alone() {
    let Some(database) = postgres::database().await else { return };
    let first = dialdeck::store::migrate_postgres(&database.url).await.unwrap();
    assert_eq!((first.applied, first.passes_by_owners), (0, true), "the template has it, and a superuser passes by: {first:?}");
    assert!(!first.place.contains("postgres@"), "no login in what people read: {}", first.place);

    // Whoever may not change it finds it up to date all the same.
    let reader = database.login("reader", "IN ROLE dialdeck_engine").await;
    let again = dialdeck::store::migrate_postgres(&reader).await.unwrap();
    assert_eq!((again.applied, again.passes_by_owners), (0, false));
}
