//! What a server answers: row by row, in bounded time.

use std::{io::ErrorKind, time::Duration};

use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Either,
    postgres::{PgQueryResult, PgRow},
};

/// A wait that had no end of its own.
pub(super) fn late(what: &str) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(ErrorKind::TimedOut, what.to_owned()))
}

pub(super) type Items<'e> = BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

/// Ends with an error when nothing comes for too long, and tells whoever must know.
pub(super) fn timed<'e, F: FnOnce() + Send + 'e>(items: Items<'e>, patience: Duration, given_up: F) -> Items<'e> {
    let next = move |state: Option<(Items<'e>, F)>| async move {
        let (mut items, given_up) = state?;
        if let Ok(item) = tokio::time::timeout(patience, items.next()).await {
            return item.map(|item| (item, Some((items, given_up))));
        }
        given_up();
        Some((Err(late("the database has not answered in time")), None))
    };
    stream::unfold(Some((items, given_up)), next).boxed()
}

/// The first row. All of an answer is read: an error may come behind it.
pub(super) fn first(mut items: Items<'_>) -> BoxFuture<'_, Result<Option<PgRow>, sqlx::Error>> {
    async move {
        let mut row = None;
        while let Some(item) = items.next().await {
            if let Either::Right(r) = item? {
                row.get_or_insert(r);
            }
        }
        Ok(row)
    }
    .boxed()
}

/// What was answered as a whole, one by one.
pub(super) fn all_of(
    answer: BoxFuture<'_, Result<Vec<Either<PgQueryResult, PgRow>>, sqlx::Error>>,
) -> BoxStream<'_, Result<Either<PgQueryResult, PgRow>, sqlx::Error>> {
    stream::once(answer).map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten().boxed()
}
