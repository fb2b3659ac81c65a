//! The writer: one task owns the one writing connection of this process and commits what has queued. A
//! batch is what waits, there is no timer, and each sender has its answer after the COMMIT. A job that
//! fails or breaks down is undone alone.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use futures_util::FutureExt;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Revision, Store, StoreError, Tx,
    file::Place,
    pool::{Conn, Trouble, Turns, Whose, end, turn},
    sql::Kind,
};
use crate::failpoint::reach;

/// Which queue of the writer: people and calls before bulk rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Urgent,
    /// Import slices and campaign filling, at most 200 and 500 rows a job.
    Bulk,
}

type Finish = Box<dyn FnOnce(Option<StoreError>) + Send>;
/// A job gets the transaction, or the reason there is none; it says whether it wants to be kept, and
/// how to answer its sender once that is settled.
type Work = Box<dyn for<'a> FnOnce(Result<&'a mut Tx, StoreError>) -> TxFuture<'a, (bool, Finish)> + Send>;

/// A piece of work, and whose it is.
pub(super) struct Job {
    whose: Whose,
    work: Work,
}

/// A future that borrows the transaction, as `Store::write` takes it.
pub type TxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Jobs of one transaction at most: bounds how long the first waits for the last.
const BATCH: usize = 256;

/// Bulk jobs of one transaction where nothing else waits; between two of urgent work one. A callback waits for
/// so many slices of an import at most, and for none with it in its own transaction.
const BULK: usize = 2;

impl Store {
    /// Runs one job in a write transaction and answers after its COMMIT. An error of the job, or its
    /// panic, undoes the job alone. A caller that goes away does not undo it: the writer owns the job.
    ///
    /// # Errors
    /// The job's own, or the database's.
    pub async fn write<T, E, F>(&self, lane: Lane, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel::<Result<T, E>>();
        let work: Work = Box::new(move |tx| {
            Box::pin(async move {
                let result = match tx {
                    Ok(tx) => unbroken(job, tx).await,
                    Err(e) => Err(e.into()),
                };
                let ok = result.is_ok();
                let finish: Finish = Box::new(move |failed| {
                    let result = failed.map_or(result, |e| Err(e.into()));
                    // A sender that went away needs no answer.
                    drop(answer.send(result));
                });
                (ok, finish)
            })
        });
        let queue = if lane == Lane::Urgent { &self.inner.urgent } else { &self.inner.bulk };
        queue.send(Job { whose: self.whose(), work }).await.map_err(|_| StoreError::Closed)?;
        wait.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }
}

/// Runs a job; its panic becomes an error. What it leaves behind is the transaction alone, which is
/// undone to where the job began.
async fn unbroken<T, E, F>(job: F, tx: &mut Tx) -> Result<T, E>
where
    E: From<StoreError>,
    F: for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<T, E>>,
{
    let run = AssertUnwindSafe(async { job(tx).await }).catch_unwind().await;
    run.unwrap_or_else(|_| {
        tracing::error!(target: "store", "a write broke down (its panic is logged above) and is undone alone");
        Err(StoreError::Broken.into())
    })
}

/// What became of a transaction's jobs: each with how to answer its sender; and why none of them may be
/// kept, where the transaction itself is lost.
struct Batch {
    done: Vec<(bool, Finish)>,
    lost: Option<StoreError>,
}

impl Tx {
    /// Begins a transaction for whoever has the first job, with its savepoint where there are several.
    async fn begin(&mut self, whose: Whose, several: bool) -> Result<(), StoreError> {
        self.whose = whose;
        match &mut self.conn {
            Conn::Sqlite(_) => self.run("BEGIN IMMEDIATE").await,
            Conn::Postgres(line) => line.begin(whose, several).await,
        }
    }

    /// What stands between two of several jobs: nothing of the first is left to the next, neither what it wrote that
    /// fails nor whose it was.
    async fn next_job(&mut self, whose: Whose) -> Result<(), StoreError> {
        self.whose = whose;
        match &mut self.conn {
            Conn::Sqlite(_) => self.run("RELEASE job; SAVEPOINT job").await,
            Conn::Postgres(line) => line.next_job(whose).await,
        }
    }

    async fn undo_job(&mut self) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => self.run("ROLLBACK TO job").await,
            Conn::Postgres(line) => line.undo_job(self.whose).await,
        }
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => self.run("COMMIT").await,
            Conn::Postgres(line) => line.commit().await,
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(_) => self.run("ROLLBACK").await,
            Conn::Postgres(line) => line.rollback().await,
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(db) => Ok(sqlx::query(sql).execute(db).await.map(|_| ())?),
            Conn::Postgres(line) => line.run(sql).await,
        }
    }

    /// The first of several jobs: PostgreSQL has its savepoint with the beginning.
    async fn first_job(&mut self) -> Result<(), StoreError> {
        if self.kind() == Kind::Postgres { Ok(()) } else { self.run("SAVEPOINT job").await }
    }

    /// Runs the jobs one after the other, each inside a savepoint; the last one's ends with the transaction. On
    /// some errors (a full disk, one that cannot be read) SQLite undoes the whole transaction by itself; the sign is
    /// that the savepoint is gone. From then on nothing may run: it would be kept by itself while its sender is told
    /// otherwise.
    async fn batch(&mut self, jobs: Vec<Job>) -> Batch {
        let alone = jobs.len() == 1;
        let mut batch = Batch { done: Vec::with_capacity(jobs.len()), lost: None };
        for (i, Job { whose, work }) in jobs.into_iter().enumerate() {
            if let Some(why) = &batch.lost {
                batch.done.push(work(Err(why.echo())).await);
                continue;
            }
            if alone {
                batch.done.push(work(Ok(self)).await);
                continue;
            }
            let ready = if i == 0 { self.first_job().await } else { self.next_job(whose).await };
            if let Err(e) = ready {
                let e = undone_by_itself(&e);
                batch.done.push(work(Err(e.echo())).await);
                batch.lost = Some(e);
                continue;
            }
            let (ok, finish) = work(Ok(self)).await;
            if !ok && let Err(e) = self.undo_job().await {
                batch.lost = Some(undone_by_itself(&e));
            }
            batch.done.push((ok, finish));
        }
        batch
    }
}

fn undone_by_itself(sign: &StoreError) -> StoreError {
    if let StoreError::Away(_) | StoreError::Unfit(_) = sign {
        return sign.echo();
    }
    StoreError::Busy(format!("it undid a transaction by itself ({sign})"))
}

/// The writing connection, and whom it tells how that goes.
pub(super) struct Writer {
    pub(super) tx: Tx,
    pub(super) revision: watch::Sender<Revision>,
    pub(super) trouble: Arc<RwLock<Trouble>>,
    pub(super) place: Arc<Place>,
    pub(super) turns: Option<Turns>,
}

impl Writer {
    /// Takes what has queued, runs it in one transaction, commits, answers. After urgent work bulk work gets one
    /// job, in a transaction of its own; [`BULK`] where nothing else waits.
    pub(super) async fn run(mut self, mut urgent: mpsc::Receiver<Job>, mut bulk: mpsc::Receiver<Job>) {
        loop {
            let mut jobs = Vec::new();
            let urgent_work = tokio::select! {
                biased;
                n = urgent.recv_many(&mut jobs, BATCH) => {
                    if n == 0 {
                        return;
                    }
                    true
                }
                job = bulk.recv() => {
                    jobs.extend(job);
                    false
                }
            };
            reach("writer.turn");
            if urgent_work {
                self.transaction(jobs).await;
                jobs = bulk.try_recv().into_iter().collect();
            } else {
                // Whoever writes from another host waits for one slice at most.
                let most = if self.tx.kind() == Kind::Postgres { 1 } else { BULK };
                jobs.extend((1..most).map_while(|_| bulk.try_recv().ok()));
            }
            if !jobs.is_empty() {
                self.transaction(jobs).await;
            }
        }
    }

    async fn transaction(&mut self, jobs: Vec<Job>) {
        self.trouble.write().since = (self.tx.kind() == Kind::Postgres).then(Instant::now);
        let turn = turn(self.turns.as_ref()).await;
        let whose = jobs.first().and_then(|job| job.whose);
        if let Err(e) = self.begin(whose, jobs.len() > 1).await {
            return self.refuse(jobs, &e).await;
        }
        let Batch { done, lost } = self.tx.batch(jobs).await;
        let any = done.iter().any(|(ok, _)| *ok);
        let settled = self.settle(any, lost).await;
        end(turn).await;
        self.trouble.write().since = None;
        for (ok, finish) in done {
            finish(settled.as_ref().err().filter(|_| ok).map(StoreError::echo));
        }
    }

    /// Never in a file that has lost its name: what is armed there no stop can reach.
    async fn begin(&mut self, whose: Whose, several: bool) -> Result<(), StoreError> {
        self.place.check()?;
        self.tx.begin(whose, several).await
    }

    async fn settle(&mut self, any: bool, lost: Option<StoreError>) -> Result<(), StoreError> {
        let settled = match lost {
            Some(e) => Err(e),
            None if any => self.tx.commit().await,
            None => self.tx.rollback().await.map_err(|e| undone_by_itself(&e)),
        };
        if any || settled.is_err() {
            self.tell(settled.as_ref().err());
        }
        if let Err(e) = &settled {
            tracing::error!(target: "store", error = %e, "a transaction is lost: nothing of it was kept");
            // After a failed COMMIT the transaction may still be open.
            drop(self.tx.rollback().await);
        } else if any {
            self.revision.send_modify(|r| *r += 1);
        }
        settled
    }

    /// No transaction could be begun: every waiter is told why, nothing ran.
    async fn refuse(&mut self, jobs: Vec<Job>, why: &StoreError) {
        tracing::error!(target: "store", error = %why, "cannot begin a transaction");
        self.trouble.write().since = None;
        // A file that comes back is seen where it is looked for; the words must not outlive its absence.
        if !matches!(why, StoreError::Moved(_)) {
            self.tell(Some(why));
        }
        // A broken transaction left open would refuse for ever.
        drop(self.tx.rollback().await);
        for job in jobs {
            let (_, finish) = (job.work)(Err(why.echo())).await;
            finish(None);
        }
    }

    fn tell(&self, trouble: Option<&StoreError>) {
        self.trouble.write().words = trouble.map(ToString::to_string);
    }
}
