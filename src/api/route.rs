//! What a line of the route table says: method, path, who may, how its body comes. The gate before each
//! handler holds it to that: a route cannot be written without saying who may.

use axum::{
    extract::{DefaultBodyLimit, Request, State},
    handler::Handler,
    http::Method,
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{self, MethodRouter},
};

use super::{
    Api, ApiError,
    auth::{Caller, Role},
    limits,
};

/// Whom a route serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody: it holds no rows.
    Open,
    /// Whoever signs the request; the handler checks the signature.
    Signed,
    /// A token of this role or of a higher one.
    AtLeast(Role),
    /// Operators, and the agent of this very call; the handler judges which call it is.
    Tagger,
    /// Admins, and people whose token names no role, over their own assistants.
    Assigner,
    /// Admins, and whoever asks from this very machine: a monitoring system has no token.
    Machine,
}

impl From<Role> for Who {
    fn from(role: Role) -> Self {
        Self::AtLeast(role)
    }
}

impl Who {
    fn admits(self, caller: &Caller) -> Result<(), ApiError> {
        match self {
            Self::Open | Self::Signed => Ok(()),
            Self::Tagger if caller.role == Role::Agent => Ok(()),
            Self::Tagger => caller.needs(Role::Operator),
            Self::AtLeast(role) => caller.needs(role),
            Self::Assigner => caller.may_assign(),
            Self::Machine => caller.needs(Role::Admin),
        }
    }
}

/// How a request's body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Json,
    Webhook,
    /// In pieces, each in its time.
    Upload,
}

/// One line of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub who: Who,
    comes: Comes,
    handler: MethodRouter<Api>,
}

macro_rules! methods {
    ($($name:ident => $method:ident),+ $(,)?) => {$(
        pub fn $name<H: Handler<T, Api>, T: 'static>(path: &'static str, who: impl Into<Who>, handler: H) -> Route {
            Route::new(Method::$method, path, who.into(), routing::$name(handler))
        }
    )+};
}

methods!(get => GET, post => POST, put => PUT, patch => PATCH, delete => DELETE);

const UPLOAD_LIMIT: usize = 200 << 20;

impl Route {
    fn new(method: Method, path: &'static str, who: Who, handler: MethodRouter<Api>) -> Self {
        Self { method, path, who, comes: if who == Who::Signed { Comes::Webhook } else { Comes::Json }, handler }
    }

    /// A file comes, streamed.
    #[must_use]
    pub fn upload(mut self) -> Self {
        self.comes = Comes::Upload;
        self
    }

    /// The handler behind its gate and its limits.
    pub(super) fn behind_its_gate(self, api: &Api) -> MethodRouter<Api> {
        let gate = from_fn_with_state((api.clone(), self.who), admit);
        let limits = api.limits;
        let time = limits.body;
        // One tuple, the outermost first: each call of `route_layer` is a box that every request copies.
        let whole = |most| (from_fn_with_state(time, limits::whole_body), DefaultBodyLimit::max(most), gate.clone());
        match self.comes {
            Comes::Json => self.handler.route_layer(whole(limits.json)),
            Comes::Webhook => self.handler.route_layer(whole(limits.webhook)),
            Comes::Upload => self.handler.route_layer((from_fn_with_state(time, limits::next_piece), DefaultBodyLimit::max(UPLOAD_LIMIT), gate.clone())),
        }
    }
}

/// Lets through whom the route serves, and tells the handler who it is.
async fn admit(State((api, who)): State<(Api, Who)>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let open = match who {
        Who::Open | Who::Signed => true,
        Who::Machine => api.edges.is_local(request.extensions(), request.headers()),
        Who::AtLeast(_) | Who::Tagger | Who::Assigner => false,
    };
    if !open {
        let caller = Caller::of(&api, request.headers()).await?;
        who.admits(&caller)?;
        request.extensions_mut().insert(caller);
    }
    if !is_text(request.uri().path()) {
        return Err(ApiError::NotFound("path"));
    }
    Ok(next.run(request).await)
}

/// Whether a path is text once its `%` are read: an id that is none is the id of nothing.
fn is_text(path: &str) -> bool {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    std::str::from_utf8(&bytes).is_ok()
}
