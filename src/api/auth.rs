//! Who is calling: a bearer JWT becomes a [`Caller`], and what a handler needs is a type it asks for.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Api, ApiError, provider::Provider};
pub use crate::domain::role::Role;
use crate::{
    config::Secret,
    desk::Actor,
    domain::id::{CallId, OwnerId},
    telephony::tokens,
};

/// The tokens of this installation: those of one secret, and those of an identity provider.
pub struct Auth {
    secret: Secret,
    audience: String,
    issuer: String,
    /// The role of a token that names none.
    plain_role: Role,
    provider: Option<Provider>,
}

/// What we say.
#[derive(Debug, Serialize)]
struct Minted {
    sub: String,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    app_metadata: AppMetadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<CallId>,
}

/// What we read of a token that holds: times, audience and issuer were checked by then, in whatever form
/// other programs write them.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    /// Seconds; some write fractions of them.
    exp: f64,
    #[serde(default)]
    iss: Option<serde_json::Value>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    app_metadata: Option<AppMetadata>,
    #[serde(default)]
    call_id: Option<CallId>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct AppMetadata {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialdeck_role: Option<Role>,
}

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 30;

impl Auth {
    #[must_use]
    pub fn new(secret: Secret, audience: String, issuer: String, plain_role: Role) -> Self {
        tokens::install();
        Self { secret, audience, issuer, plain_role, provider: None }
    }

    /// Takes the tokens of an identity provider as well.
    #[must_use]
    pub fn with_provider(self, provider: Provider) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// Mints a token; for an agent, of one call.
    #[must_use]
    pub fn mint(&self, owner: OwnerId, role: Role, until: DateTime<Utc>, call: Option<CallId>) -> Option<String> {
        let claims = Minted {
            sub: owner.to_string(),
            exp: until.timestamp(),
            aud: Some(self.audience.clone()).filter(|a| !a.is_empty()),
            iss: Some(self.issuer.clone()).filter(|i| !i.is_empty()),
            app_metadata: AppMetadata { dialdeck_role: Some(role) },
            call_id: call,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(self.secret.reveal().as_bytes())).ok()
    }

    /// Who comes with this token. Each key has one algorithm, which the token must name.
    async fn read(&self, token: &str) -> Result<Caller, ApiError> {
        let header = jsonwebtoken::decode_header(token).map_err(|e| ApiError::Unauthenticated(words(e.kind())))?;
        let claims = match (header.alg, &self.provider) {
            (Algorithm::HS256, provider) => match (self.claims(token, Algorithm::HS256, &self.key()), provider) {
                (Err(ErrorKind::InvalidSignature), Some(p)) if p.checks_secrets => self.vouched_for(p, token).await?,
                (claims, _) => claims.map_err(|kind| ApiError::Unauthenticated(words(&kind)))?,
            },
            (algorithm @ (Algorithm::RS256 | Algorithm::ES256), Some(p)) => {
                let key = p.key(header.kid.as_deref(), algorithm).await?;
                self.claims(token, algorithm, &key).map_err(|kind| ApiError::Unauthenticated(words(&kind)))?
            }
            _ => return Err(ApiError::Unauthenticated(words(&ErrorKind::InvalidAlgorithm))),
        };
        self.caller(claims)
    }

    fn key(&self) -> DecodingKey {
        DecodingKey::from_secret(self.secret.reveal().as_bytes())
    }

    /// What a token says that this key signed, now, for us.
    fn claims(&self, token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Claims, ErrorKind> {
        let mut v = Validation::new(algorithm);
        v.leeway = LEEWAY;
        v.validate_nbf = true;
        v.set_required_spec_claims(&["exp", "sub"]);
        if self.audience.is_empty() {
            v.validate_aud = false;
        } else {
            v.set_audience(&[&self.audience]);
            v.required_spec_claims.insert("aud".to_owned());
        }
        if !self.issuer.is_empty() {
            v.set_issuer(&[&self.issuer]);
            v.required_spec_claims.insert("iss".to_owned());
        }
        Ok(jsonwebtoken::decode::<Claims>(token, key, &v).map_err(jsonwebtoken::errors::Error::into_kind)?.claims)
    }

    /// What a token says whose signature its issuer checks, since we have not got the secret. All else is
    /// judged as of any token: as if we had signed it.
    async fn vouched_for(&self, provider: &Provider, token: &str) -> Result<Claims, ApiError> {
        let refused = |kind: ErrorKind| ApiError::Unauthenticated(words(&kind));
        let (message, _) = token.rsplit_once('.').unwrap_or_default();
        let ours = EncodingKey::from_secret(self.secret.reveal().as_bytes());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &ours, Algorithm::HS256).map_err(|e| refused(e.into_kind()))?;
        let claims = self.claims(&format!("{message}.{signature}"), Algorithm::HS256, &self.key()).map_err(refused)?;
        if claims.iss.as_ref().and_then(|i| i.as_str()) != Some(provider.issuer()) {
            return Err(refused(ErrorKind::InvalidSignature));
        }
        provider.vouches(token, &claims.sub).await?;
        Ok(claims)
    }

    fn caller(&self, claims: Claims) -> Result<Caller, ApiError> {
        let owner = claims.sub.parse().map_err(|_| ApiError::Unauthenticated("the token's sub is no UUID"))?;
        let named = claims.app_metadata.and_then(|m| m.dialdeck_role);
        let role = named.unwrap_or(self.plain_role);
        if role == Role::Agent && claims.call_id.is_none() {
            return Err(ApiError::Unauthenticated("an agent's token names its call"));
        }
        let name = claims.email.map_or_else(|| claims.sub.clone(), |e| crate::domain::text::clean(&e, 100));
        #[expect(clippy::cast_possible_truncation, reason = "a moment beyond all calendars is the last one")]
        let expires = DateTime::from_timestamp((claims.exp as i64).saturating_add(LEEWAY.cast_signed()), 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Ok(Caller { owner, role, name, call: claims.call_id, plain: named.is_none(), expires })
    }
}

fn words(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token holds from a later moment on",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "the token's algorithm is not accepted",
        _ => "the token is not valid",
    }
}

/// Who asks, by their token.
#[derive(Debug, Clone)]
pub struct Caller {
    pub owner: OwnerId,
    pub role: Role,
    pub name: String,
    /// The one call of an agent.
    pub call: Option<CallId>,
    /// The token names no role: somebody over their own rows.
    pub plain: bool,
    /// By the host's time of day: until when the token holds.
    pub expires: DateTime<Utc>,
}

impl Caller {
    /// Admins may assign numbers and trunks; so may people over their own assistants.
    ///
    /// # Errors
    /// For anybody else.
    pub fn may_assign(&self) -> Result<(), ApiError> {
        if self.role == Role::Admin || (self.plain && self.role == Role::Supervisor) {
            return Ok(());
        }
        Err(ApiError::Forbidden("this needs the role admin".to_owned()))
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        let agent = self.role == Role::Agent;
        Actor { owner: self.owner, name: if agent { "agent".to_owned() } else { self.name.clone() }, source: if agent { "agent" } else { "api" } }
    }

    /// # Errors
    /// For a lesser role, in words.
    pub fn needs(&self, role: Role) -> Result<(), ApiError> {
        self.role.needs(role).map_err(ApiError::Forbidden)
    }

    /// Who sends these headers: one request of its token's bucket.
    ///
    /// # Errors
    /// Without a token that holds, and when its bucket is empty.
    pub async fn of(api: &Api, headers: &HeaderMap) -> Result<Self, ApiError> {
        let header = headers.get(header::AUTHORIZATION).ok_or(ApiError::Unauthenticated("a bearer token is needed: `dialdeck token` makes one"))?;
        let bearer = header.to_str().ok().and_then(|h| h.trim().split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = bearer.ok_or(ApiError::Unauthenticated("the Authorization header is not Bearer"))?;
        let caller = api.auth.read(token.trim()).await?;
        api.buckets.take((caller.owner, caller.call))?;
        Ok(caller)
    }
}

/// The gate of the route has looked at the token by now; without a gate there is nobody.
impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::Unauthenticated("nobody has asked who calls"))
    }
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident => $role:expr),+ $(,)?) => {$(
        $(#[$doc])*
        pub struct $name(pub Caller);

        impl FromRequestParts<Api> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
                let caller = Caller::from_request_parts(parts, api).await?;
                caller.needs($role)?;
                Ok(Self(caller))
            }
        }
    )+};
}

needs!(
    /// May read.
    Viewer => Role::Viewer,
    /// May tag, note and hang up.
    Operator => Role::Operator,
    /// May do everything of campaigns, contacts and calls.
    Supervisor => Role::Supervisor,
    /// May lift what protects people.
    Admin => Role::Admin,
);
