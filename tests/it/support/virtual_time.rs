//! Simulated time: a clock that jumps to the next moment anybody waits for, processes that take turns
//! on one thread, and the simulator without its sockets. The same seed gives the same order of
//! everything, and a month passes in minutes.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::Request,
};
use chrono::{DateTime, Utc};
use dialdeck::{
    clock::Clock,
    domain::event::Reply,
    store::Store,
    telephony::{
        Answer, Carrier, CarrierError, Deleted, DialRequest, Dispatch, JoinToken, Muted, NewTrunk, Participant, SecondLeg, Ticket, Transferred, Trunk,
        livekit::{LiveKit, LiveKitConfig, read_reply},
        simulator::{Simulator, SimulatorConfig},
    },
};
use livekit_api::access_token::{AccessToken, SIPGrants, VideoGrants};
use livekit_protocol as proto;
use prost::Message;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
};
use tower::ServiceExt;

/// A host's view of the simulated time: its time of day can be wrong, its uptime cannot.
#[derive(Clone)]
pub struct VirtualClock {
    time: Arc<Mutex<Time>>,
    /// How far this host's time of day is off, ms.
    off: Arc<AtomicI64>,
    /// The part of it that the product goes by.
    believed: Arc<AtomicI64>,
}

struct Time {
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    next: u64,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
}

impl VirtualClock {
    pub fn new(start: DateTime<Utc>) -> Self {
        Self { time: Arc::new(Mutex::new(Time { start, now: start, next: 0, sleepers: BTreeMap::new() })), off: Arc::default(), believed: Arc::default() }
    }

    /// Another host's clock over the same time.
    pub fn host(&self) -> Self {
        Self { time: self.time.clone(), off: Arc::default(), believed: Arc::default() }
    }

    /// Sets this host's time of day off the true one.
    pub fn set_off(&self, by: chrono::Duration) {
        self.off.store(by.num_milliseconds(), Ordering::Relaxed);
    }

    /// Goes to the next moment somebody waits for, at most to `limit`; wakes who waited.
    pub fn advance(&self, limit: DateTime<Utc>) {
        let woken: Vec<Waker> = {
            let mut time = self.time.lock().unwrap();
            let next = time.sleepers.keys().next().map_or(limit, |(at, _)| (*at).min(limit));
            time.now = time.now.max(next);
            let over = (time.now + chrono::Duration::milliseconds(1), 0);
            let later = time.sleepers.split_off(&over);
            std::mem::replace(&mut time.sleepers, later).into_values().collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.time.lock().unwrap().now + chrono::Duration::milliseconds(self.believed.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let wait = (at - self.now()).max(chrono::Duration::zero());
        let due = self.time.lock().unwrap().now + wait;
        Box::pin(Sleep { time: self.time.clone(), due, key: None })
    }

    fn stepped(&self) -> Option<chrono::Duration> {
        let by = self.off.load(Ordering::Relaxed) - self.believed.load(Ordering::Relaxed);
        (by.abs() > 60_000).then(|| chrono::Duration::milliseconds(by))
    }

    fn believe(&self) {
        self.believed.store(self.off.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn uptime(&self) -> Duration {
        let time = self.time.lock().unwrap();
        (time.now - time.start).to_std().unwrap()
    }
}

struct Sleep {
    time: Arc<Mutex<Time>>,
    due: DateTime<Utc>,
    key: Option<(DateTime<Utc>, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut time = time.lock().unwrap();
        if time.now >= self.due {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| {
            time.next += 1;
            (self.due, time.next)
        });
        self.key = Some(key);
        time.sleepers.insert(key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.time.lock().unwrap().sleepers.remove(&key);
        }
    }
}

/// A process: its tasks run only while it has its turn, until all of them wait.
pub struct Process {
    runtime: Runtime,
    parked: Arc<Parked>,
}

#[derive(Default)]
struct Parked {
    root: Mutex<Option<Waker>>,
    idle: AtomicBool,
    store: OnceLock<Store>,
}

impl Process {
    pub fn new() -> Self {
        let parked = Arc::new(Parked::default());
        let hook = parked.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Who was woken from outside comes last, however quick the outside was.
            .global_queue_interval(1 << 20)
            .event_interval(1 << 20)
            .on_thread_park(move || {
                if hook.store.get().is_none_or(Store::is_at_rest) {
                    hook.idle.store(true, Ordering::Relaxed);
                    hook.root.lock().unwrap().take().into_iter().for_each(Waker::wake);
                }
            })
            .build()
            .unwrap();
        Self { runtime, parked }
    }

    /// Its database: a process that waits for it is not done with its turn.
    pub fn uses(&self, store: Store) {
        assert!(self.parked.store.set(store).is_ok());
    }

    pub fn run<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Its turn: until every task waits for a clock or for another process.
    pub fn turn(&self) {
        self.parked.idle.store(false, Ordering::Relaxed);
        self.runtime.block_on(std::future::poll_fn(|cx| {
            if self.parked.idle.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            *self.parked.root.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        }));
    }

    /// SIGKILL: nothing is tidied up.
    pub fn kill(self) {
        self.runtime.shutdown_background();
        // Its connections are closed by threads of their own, which others can see in the file.
        std::thread::sleep(Duration::from_millis(50));
    }
}

type Answered = (u16, Option<Bytes>);

/// The way to the simulator: what is sent is answered in the network's own process, whatever becomes
/// of the sender.
#[derive(Clone)]
pub struct Wire {
    requests: mpsc::UnboundedSender<(Request<Body>, oneshot::Sender<Answered>)>,
    token: String,
    /// Grows with every request and reply: who sees it stand still has seen all of them.
    pub moved: Arc<AtomicU64>,
}

impl Wire {
    /// Serves the simulator in the process that runs this.
    pub fn serve(simulator: &Simulator, config: &SimulatorConfig) -> Self {
        let (requests, mut waiting) = mpsc::unbounded_channel::<(Request<Body>, oneshot::Sender<Answered>)>();
        let moved = Arc::new(AtomicU64::new(0));
        let (router, count) = (simulator.router(), moved.clone());
        tokio::spawn(async move {
            while let Some((request, reply)) = waiting.recv().await {
                let (router, count) = (router.clone(), count.clone());
                tokio::spawn(async move {
                    let response = router.oneshot(request).await.unwrap();
                    let status = response.status().as_u16();
                    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.ok();
                    count.fetch_add(1, Ordering::Relaxed);
                    // The sender may be dead by now.
                    drop(reply.send((status, body)));
                });
            }
        });
        let video = VideoGrants { room_admin: true, room_list: true, room_create: true, ..Default::default() };
        let token = AccessToken::with_api_key(&config.api_key, &config.api_secret)
            .with_ttl(Duration::from_hours(48))
            .with_sip_grants(SIPGrants { call: true, admin: true })
            .with_grants(video)
            .to_jwt()
            .unwrap();
        Self { requests, token, moved }
    }

    async fn ask(&self, service: &str, method: &str, message: &impl Message) -> Answered {
        let request = Request::post(format!("/twirp/livekit.{service}/{method}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/protobuf")
            .body(Body::from(message.encode_to_vec()))
            .unwrap();
        let (reply, wait) = oneshot::channel();
        self.moved.fetch_add(1, Ordering::Relaxed);
        self.requests.send((request, reply)).unwrap();
        wait.await.unwrap_or((500, None))
    }

    async fn read<T: Message + Default>(&self, service: &str, method: &str, message: &impl Message) -> Result<T, CarrierError> {
        match self.ask(service, method, message).await {
            (200, Some(body)) => Ok(T::decode(body).unwrap()),
            (status, _) => Err(CarrierError::Other(format!("HTTP {status}"))),
        }
    }
}

/// The product's LiveKit adapter over the [`Wire`]: the same messages, the same reading of a dial's reply.
pub struct Direct {
    pub wire: Wire,
    pub clock: VirtualClock,
    /// LiveKit is on another host.
    pub has_a_clock: bool,
    tickets: LiveKit,
}

impl Direct {
    pub fn new(wire: Wire, clock: VirtualClock, config: &SimulatorConfig) -> Self {
        let livekit = LiveKitConfig { host: "http://127.0.0.1:9".into(), api_key: config.api_key.clone(), api_secret: config.api_secret.clone() };
        Self { wire, clock, has_a_clock: false, tickets: LiveKit::new(&livekit).unwrap() }
    }
}

impl Carrier for Direct {
    fn ticket(&self) -> Result<Ticket, CarrierError> {
        self.tickets.ticket()
    }

    fn dial(&self, _: Ticket, request: DialRequest) -> Answer<'_, Reply> {
        Box::pin(async move {
            let late = self.clock.sleep_until(self.clock.now() + request.timeout);
            let message = proto::CreateSipParticipantRequest::from(request);
            tokio::select! {
                biased;
                reply = self.wire.ask("SIP", "CreateSIPParticipant", &message) => match reply {
                    (status, Some(body)) => read_reply(status, &body),
                    (status, None) => Reply::Unknown { reason: format!("the reply (HTTP {status}) broke off") },
                },
                () = late => Reply::Unknown { reason: "no reply in time".to_owned() },
            }
        })
    }

    fn dispatch(&self, room: String, agent_name: String, metadata: String) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            let message = proto::CreateAgentDispatchRequest { room, agent_name, metadata, ..Default::default() };
            self.wire.read::<proto::AgentDispatch>("AgentDispatchService", "CreateDispatch", &message).await.map(drop)
        })
    }

    fn look(&self, room: String) -> Answer<'_, Result<Vec<Participant>, CarrierError>> {
        Box::pin(async move {
            let list: proto::ListParticipantsResponse = self.wire.read("RoomService", "ListParticipants", &proto::ListParticipantsRequest { room }).await?;
            Ok(list.participants.into_iter().map(Participant::from).collect())
        })
    }

    fn rooms(&self, names: Vec<String>) -> Answer<'_, Result<Vec<String>, CarrierError>> {
        Box::pin(async move {
            let list: proto::ListRoomsResponse = self.wire.read("RoomService", "ListRooms", &proto::ListRoomsRequest { names }).await?;
            let mut names: Vec<String> = list.rooms.into_iter().map(|r| r.name).collect();
            names.sort();
            Ok(names)
        })
    }

    fn delete_room(&self, room: String) -> Answer<'_, Result<Deleted, CarrierError>> {
        Box::pin(async move {
            match self.wire.ask("RoomService", "DeleteRoom", &proto::DeleteRoomRequest { room }).await {
                (200, Some(_)) => Ok(Deleted::Yes),
                (404, _) => Ok(Deleted::NotThere),
                (500, Some(body)) if String::from_utf8_lossy(&body).contains("could not find object") => Ok(Deleted::Astray),
                (status, _) => Err(CarrierError::Other(format!("HTTP {status}"))),
            }
        })
    }

    fn lives(&self, room: String) -> Answer<'_, Result<bool, CarrierError>> {
        Box::pin(async move {
            let message = proto::ListAgentDispatchRequest { room, ..Default::default() };
            match self.wire.ask("AgentDispatchService", "ListDispatch", &message).await {
                (200, Some(_)) => Ok(true),
                (503, Some(_)) => Ok(false),
                (status, _) => Err(CarrierError::Other(format!("HTTP {status}"))),
            }
        })
    }

    fn trunks(&self) -> Answer<'_, Result<Vec<Trunk>, CarrierError>> {
        Box::pin(async move {
            let list: proto::ListSipOutboundTrunkResponse =
                self.wire.read("SIP", "ListSIPOutboundTrunk", &proto::ListSipOutboundTrunkRequest::default()).await?;
            Ok(list.items.into_iter().map(Trunk::from).collect())
        })
    }

    fn create_trunk(&self, new: NewTrunk) -> Answer<'_, Result<Trunk, CarrierError>> {
        Box::pin(async move {
            let trunk = proto::SipOutboundTrunkInfo { name: new.name, address: new.address, numbers: vec![new.number], ..Default::default() };
            let message = proto::CreateSipOutboundTrunkRequest { trunk: Some(trunk) };
            self.wire.read::<proto::SipOutboundTrunkInfo>("SIP", "CreateSIPOutboundTrunk", &message).await.map(Trunk::from)
        })
    }

    fn dispatches(&self, room: String) -> Answer<'_, Result<Vec<Dispatch>, CarrierError>> {
        Box::pin(async move {
            let message = proto::ListAgentDispatchRequest { room, ..Default::default() };
            let list: proto::ListAgentDispatchResponse = self.wire.read("AgentDispatchService", "ListDispatch", &message).await?;
            Ok(list.agent_dispatches.into_iter().map(|d| Dispatch { id: d.id, agent: d.agent_name }).collect())
        })
    }

    fn transfer(&self, _: String, _: String, _: Duration) -> Answer<'_, Transferred> {
        Box::pin(async { Transferred::Unknown { reason: "not in this world".to_owned() } })
    }

    fn ring_in(&self, _: Ticket, _: SecondLeg) -> Answer<'_, Reply> {
        Box::pin(async { Reply::Unknown { reason: "not in this world".to_owned() } })
    }

    fn mute(&self, _: String, _: String, _: bool) -> Answer<'_, Result<Muted, CarrierError>> {
        Box::pin(async { Ok(Muted::NoVoice) })
    }

    fn remove(&self, room: String, identity: String) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            drop(self.wire.ask("RoomService", "RemoveParticipant", &proto::RoomParticipantIdentity { room, identity, ..Default::default() }).await);
            Ok(())
        })
    }

    fn join_token(&self, room: String, identity: String, ttl: Duration) -> Result<JoinToken, CarrierError> {
        self.tickets.join_token(room, identity, ttl)
    }

    fn check(&self) -> Answer<'_, Result<(), CarrierError>> {
        Box::pin(async move { self.rooms(Vec::new()).await.map(drop) })
    }

    fn time(&self) -> Answer<'_, Result<Option<DateTime<Utc>>, CarrierError>> {
        let truth = self.has_a_clock.then(|| self.clock.host().now());
        Box::pin(async move { Ok(truth) })
    }
}
