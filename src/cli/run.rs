//! From arguments to a running program: configuration, logs, runtime, and the mode asked for.

use std::{
    collections::BTreeMap,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::{
    Args, CliError, Command,
    args::{CallCommand, CampaignCommand, ConsoleFlags, DncCommand, EngineFlags, Global, Owner},
    behind, configuration, doctor,
    ending::{end_broken, finish, see_off, tell_left, wait_for_end},
    manual,
    out::tell,
    rights,
    runtime::runtime,
    safekeeping,
    session::Session,
    verbs,
};
use crate::{
    app::{App, Beyond, Demo, DemoOptions, StartOptions, before_files},
    clock::{ScaledClock, SharedClock, SystemClock},
    config::{self, Config, OnHangup, Sources, Values},
    console::{self, ConsoleOptions, Drain, Ending, SessionOptions},
    domain::role::Role,
    store::Store,
    telemetry::{self, Ring},
    telephony::simulator::{Behaviour, Faults, Script, Simulator, SimulatorConfig},
};

/// Configuration files in the order they are read.
pub fn files(global: &Global) -> Vec<(PathBuf, bool)> {
    let mut files = vec![(PathBuf::from("/etc/dialdeck/config.toml"), false)];
    match &global.config {
        Some(path) => files.push((path.clone(), true)),
        None => files.push((xdg("XDG_CONFIG_HOME", ".config").join("dialdeck/config.toml"), false)),
    }
    files
}

/// A folder of the XDG base directories.
pub fn xdg(variable: &str, fallback: &str) -> PathBuf {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute());
    set.unwrap_or_else(|| std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from).join(fallback))
}

/// The environment with what a `.env` adds: what is really set wins over the file.
fn environment() -> Result<BTreeMap<String, String>, CliError> {
    let mut all = match std::fs::read(".env") {
        Ok(bytes) => config::parse_dotenv(&bytes).map_err(|e| CliError::Usage(format!(".env: {e}")))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(e) => return Err(CliError::Usage(format!(".env cannot be read: {e}"))),
    };
    for (name, value) in std::env::vars_os() {
        // Another program's variable is none of ours, whatever it holds.
        let Ok(name) = name.into_string() else { continue };
        let ours = name.starts_with("DIALDECK_") || config::ENVIRONMENT.iter().any(|(n, _)| *n == name);
        match value.into_string() {
            Ok(value) => drop(all.insert(name, value)),
            Err(_) if ours => return Err(CliError::Usage(format!("{name} is no UTF-8"))),
            Err(_) => {}
        }
    }
    Ok(all)
}

fn values(global: &Global, engine: &EngineFlags) -> Result<Values, CliError> {
    let mut flags = Vec::new();
    let mut flag = |key: &'static str, value: Option<String>| flags.extend(value.map(|v| (key, v)));
    flag("database.url", global.database.clone());
    flag("listen.addr", engine.listen.clone());
    flag("listen.behind_proxy", engine.behind_proxy.then(|| "true".to_owned()));
    if let Some(Owner::One(owner)) = global.owner {
        flag("auth.owner", Some(owner.to_string()));
    }
    let mut values = config::extract(&Sources { files: files(global), environment: environment()?, flags })?;
    if let Some(url) = values.get_mut("database.url").filter(|v| v.text.is_empty()) {
        url.text = format!("sqlite:{}", xdg("XDG_DATA_HOME", ".local/share").join("dialdeck/dialdeck.db").display());
    }
    Ok(values)
}

fn log_file(config: Option<&Config>) -> PathBuf {
    let usual = || xdg("XDG_STATE_HOME", ".local/state").join("dialdeck/dialdeck.log");
    config.and_then(|c| c.log_file.clone()).unwrap_or_else(usual)
}

fn start_logs(clock: SharedClock, config: Option<&Config>, to_stderr: bool) -> Result<Ring, CliError> {
    let ring = Ring::new(clock);
    let file = log_file(config);
    let level = config.map_or("info", |c| c.log_level.as_str());
    telemetry::start(ring.clone(), level, &file, to_stderr).map_err(|e| {
        CliError::Failed(format!("cannot write the log {}: {e}. Choose a writable place with [log] file or DIALDECK_LOG__FILE", file.display()))
    })?;
    Ok(ring)
}

/// Runs what was asked for.
pub fn run(args: Args) -> Result<(), CliError> {
    let Args { global, console, engine, command } = args;
    crate::app::use_host_zones();
    let Some(command) = command else { return run_console(&global, &console, &engine) };
    if console != ConsoleFlags::default() || engine != EngineFlags::default() {
        let words = "only --config, --database, --as and --json go before a command; what else it takes stands behind it: `dialdeck COMMAND --help`";
        return Err(CliError::Usage(words.to_owned()));
    }
    if global.owner == Some(Owner::All) && !only_shows(&command) {
        return Err(CliError::Usage("--as all is for looking: this command acts for one owner, so name one with --as UUID".to_owned()));
    }
    match command {
        Command::Demo { .. } if global.database.is_some() => {
            let words = "the demo makes a database of its own and throws it away: leave --database out, or run `dialdeck` with it";
            Err(CliError::Usage(words.to_owned()))
        }
        Command::Demo { contacts, seed, speed, console } => run_demo(&console, DemoOptions { contacts, seed, speed }),
        Command::Serve { engine, behind } => run_serve(&global, &engine, behind),
        Command::Simulate { listen, webhook, speed, mix, script } => {
            let (behaviour, faults) = simulated(mix, script.as_deref())?;
            run_simulate(SimulatorConfig { listen, webhook_url: webhook, behaviour, faults, ..SimulatorConfig::by_digits() }, speed)
        }
        Command::Config(command) => configuration::config(command, &values(&global, &engine)?, &files(&global), global.json),
        Command::Theme(command) => configuration::theme(command, &themes_folder(), global.json),
        Command::Completions { shell } => {
            manual::completions(shell);
            Ok(())
        }
        Command::Man => manual::man(),
        Command::Migrate { print_sql: true } => safekeeping::print_schema(global.database.as_deref(), || values(&global, &engine)),
        Command::Doctor => {
            let config = values(&global, &engine).and_then(|v| Ok(config::validate(&v)?));
            runtime()?.block_on(doctor::doctor(config, &global))
        }
        command => run_verb(&global, command),
    }
}

fn run_verb(global: &Global, command: Command) -> Result<(), CliError> {
    let config = config::validate(&values(global, &EngineFlags::default())?)?;
    rights::check(config.console_role, &command)?;
    warn_of_open_files(&config);
    runtime()?.block_on(async {
        if matches!(command, Command::Migrate { .. }) && config::is_postgres(&config.database_url) {
            return safekeeping::migrate_server(&config, global.json).await;
        }
        // What is not there is not stopped, shown or kept by making it.
        let there = matches!(command, Command::StopAll { .. } | Command::Status | Command::Backup { .. });
        let _lock = match &command {
            Command::Restore { file } => safekeeping::make_room(&config, file)?,
            _ => None,
        };
        let session = if there { Session::open_there(config, global).await? } else { Session::open(config, global).await? };
        verbs::run(session, command).await
    })
}

/// Whether a command can be about every owner's rows.
fn only_shows(command: &Command) -> bool {
    use super::args::{AssistantCommand, NumberCommand};
    matches!(
        command,
        Command::Campaign(CampaignCommand::List | CampaignCommand::Show { .. } | CampaignCommand::Why { .. } | CampaignCommand::Export { .. })
            | Command::Call(CallCommand::List { .. } | CallCommand::Show { .. })
            | Command::Assistant(AssistantCommand::List)
            | Command::Number(NumberCommand::List)
            | Command::Dnc(DncCommand::List)
            | Command::Status
            | Command::Doctor
    )
}

/// Files that hold secrets or numbers and that others on this host may read, such as an earlier release or a
/// copy left them.
pub fn open_files(config: &Config) -> Vec<PathBuf> {
    let files = [PathBuf::from(Store::path_of(&config.database_url)), PathBuf::from(".env")];
    files.into_iter().filter(|f| std::fs::metadata(f).is_ok_and(|m| m.permissions().mode() & 0o007 != 0)).collect()
}

fn warn_of_open_files(config: &Config) {
    for file in open_files(config) {
        tell!("dialdeck: {0} can be read by everybody on this host: `chmod o= {0}` closes it", file.display());
    }
}

/// A database that is not the one that was meant, perhaps, or one that is far.
fn database_hint(config: &Config, store: &Store) -> Option<String> {
    if config.supabase_without_database {
        return Some("SUPABASE_URL without DATABASE_URL: using SQLite".to_owned());
    }
    let far = store.round_trip().filter(|far| *far > Store::FAR)?;
    Some(format!("database {:.1} ms away", far.as_secs_f64() * 1000.0))
}

fn themes_folder() -> PathBuf {
    xdg("XDG_CONFIG_HOME", ".config").join("dialdeck/themes")
}

fn run_console(global: &Global, flags: &ConsoleFlags, engine: &EngineFlags) -> Result<(), CliError> {
    if global.owner == Some(Owner::All) {
        return Err(CliError::Usage("the console shows one owner's rows: name one with --as UUID; lists such as `campaign list` take --as all".to_owned()));
    }
    let values = values(global, engine)?;
    let config = config::validate(&values)?;
    let plain = console::in_lines(flags.plain).map_err(CliError::Usage)?;
    warn_of_open_files(&config);
    let clock: SharedClock = Arc::new(SystemClock::new());
    let ring = start_logs(clock.clone(), Some(&config), false)?;
    let runtime = runtime()?;
    let app = runtime.block_on(App::start(&config, StartOptions { no_dial: engine.no_dial, wait_for_port: true }, clock.clone()))?;
    let drain = Drain::new(app.dial_no_more(), config.drain_timeout);
    let look = ConsoleOptions {
        theme: flags.theme.clone().unwrap_or_else(|| config.theme.clone()),
        color: color(flags),
        read_only: flags.read_only || config.console_role == Role::Viewer,
        role: config.console_role,
        mask: config.mask,
        ages: config.ages,
        simulated: false,
        known: database_hint(&config, app.desk.store()),
        following: app.following.subscribe(),
        broken: app.broken.subscribe(),
        themes_folder: themes_folder(),
        keys_file: themes_folder().with_file_name("keys.toml"),
        zone: config.timezone.unwrap_or_else(crate::app::host_zone),
        region: config.region.clone(),
        filter: flags.filter.clone().unwrap_or_default(),
        outside: crate::app::outside(Beyond {
            desk: app.desk.clone(),
            owner: app.actor.owner,
            clock: clock.clone(),
            file: files(global).pop().map(|f| f.0).unwrap_or_default(),
            before: before_files(&values),
            open_files: open_files(&config),
            config: config.clone(),
        }),
        ascii: ascii(flags),
        plain,
        port: app.port.subscribe(),
        drain: drain.clone(),
        keeper: Some(behind::keeper(global, engine)),
        session: session(flags, Some(&config)),
    };
    let ended = console::run(&runtime, &app.desk, app.actor.clone(), ring, &clock, look);
    let again = matches!(ended, Ok(Ending::Again));
    let leaves = matches!(ended, Ok(Ending::QuitNow | Ending::Drain));
    let (desk, actor, follows) = (app.desk.clone(), app.actor.clone(), app.following.borrow().is_some());
    let done = finish(&runtime, app, ended, config.on_hangup, &drain);
    if leaves && done.is_ok() {
        tell_left(&runtime, &desk, &actor, follows);
    }
    runtime.shutdown_timeout(LAST);
    if again { done.and_then(|()| begin_anew()) } else { done }
}

/// The program in its own place, as it was started: it reads its configuration anew. Nothing was on the line.
fn begin_anew() -> Result<(), CliError> {
    let program = std::env::current_exe().unwrap_or_else(|_| "dialdeck".into());
    let why = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
    Err(CliError::Failed(format!("the configuration was written, but dialdeck does not start again ({why}): start it")))
}

/// What has not ended by then, such as an import that reads a pipe, must not keep the process.
const LAST: Duration = Duration::from_secs(2);

fn color(flags: &ConsoleFlags) -> String {
    flags.color.clone().unwrap_or_else(|| "auto".to_owned())
}

/// Decided once, here: asked for, or all that the terminal can.
fn ascii(flags: &ConsoleFlags) -> bool {
    flags.ascii || console::symbols::ascii_only()
}

/// What is kept where; the demonstration has a file of its own.
fn session(flags: &ConsoleFlags, config: Option<&Config>) -> SessionOptions {
    let file = console::kept::path(&xdg("XDG_STATE_HOME", ".local/state"));
    let notify = config.and_then(|c| console::notify::Way::named(&c.notify)).unwrap_or_default();
    SessionOptions {
        kept: Some(if config.is_some() { file } else { file.with_file_name("demo.toml") }),
        log: Some(log_file(config)),
        theme_given: flags.theme.is_some(),
        named: std::env::var_os("DIALDECK_OPERATOR").is_some_and(|n| !n.is_empty()),
        notify,
        // Outside of tmux a wrapped notification would be shown as it is.
        passthrough: config.is_some_and(|c| c.tmux_passthrough) && std::env::var_os("TMUX").is_some(),
    }
}

fn run_demo(flags: &ConsoleFlags, demo: DemoOptions) -> Result<(), CliError> {
    let plain = console::in_lines(flags.plain).map_err(CliError::Usage)?;
    let runtime = runtime()?;
    let (clock, speed) = (Demo::clock(demo.speed), demo.speed);
    let ring = start_logs(clock.clone(), None, false)?;
    let demo = runtime.block_on(Demo::start(demo, clock))?;
    let Demo { app, config, simulator, clock, .. } = demo;
    // Simulated calls need no end, but for who asks to see one.
    let drain = Drain::new(app.dial_no_more(), Duration::ZERO);
    let look = ConsoleOptions {
        theme: flags.theme.clone().unwrap_or_else(|| "dark".to_owned()),
        color: color(flags),
        read_only: flags.read_only,
        role: Role::Admin,
        mask: 0,
        ages: config::Ages::default(),
        simulated: true,
        // Whoever sits here would wonder at its clock.
        known: ((speed - 1.0).abs() > 0.001).then(|| format!("{speed} x the clock")),
        following: tokio::sync::watch::Sender::new(None).subscribe(),
        broken: app.broken.subscribe(),
        themes_folder: themes_folder(),
        keys_file: themes_folder().with_file_name("keys.toml"),
        zone: crate::app::host_zone(),
        region: Some("US".to_owned()),
        filter: flags.filter.clone().unwrap_or_default(),
        outside: crate::app::outside(Beyond {
            desk: app.desk.clone(),
            owner: app.actor.owner,
            clock: clock.clone(),
            file: PathBuf::new(),
            before: Some("the demonstration".to_owned()),
            open_files: Vec::new(),
            config,
        }),
        ascii: ascii(flags),
        plain,
        port: app.port.subscribe(),
        drain: drain.clone(),
        keeper: None,
        session: session(flags, None),
    };
    let ended = console::run(&runtime, &app.desk, app.actor.clone(), ring, &clock, look);
    let ended = ended.map(|ending| if ending == Ending::Drain { ending } else { Ending::QuitNow });
    let done = finish(&runtime, app, ended, OnHangup::Stop, &drain);
    if done.is_ok() {
        tell!("dialdeck: the demonstration is over, and nothing of it is kept: the next one begins anew");
    }
    drop(simulator);
    runtime.shutdown_timeout(Duration::from_millis(200));
    done
}

fn run_serve(global: &Global, engine: &EngineFlags, behind: bool) -> Result<(), CliError> {
    if behind {
        behind::leave_the_terminal();
    }
    let config = config::validate(&values(global, engine)?)?;
    warn_of_open_files(&config);
    let clock: SharedClock = Arc::new(SystemClock::new());
    let _ring = start_logs(clock.clone(), Some(&config), !behind)?;
    let runtime = runtime()?;
    let app = runtime.block_on(App::start(&config, StartOptions { no_dial: engine.no_dial, wait_for_port: behind }, clock))?;
    if behind {
        behind::tell_ready();
    }
    match (app.following.borrow().as_ref(), app.address) {
        (Some(words), _) => tell!("dialdeck: {words}; it takes over when that one is gone"),
        (None, Some(address)) => tell!("dialdeck: serving on http://{address}"),
        (None, None) => {}
    }
    let done = runtime.block_on(async {
        tokio::select! {
            ended = wait_for_end() => ended?,
            words = app.must_end() => return Err(end_broken(app, &words).await),
        }
        tell!("dialdeck: draining for at most {} s; once more ends at once", config.drain_timeout.as_secs());
        see_off(app, config.drain_timeout).await
    });
    runtime.shutdown_timeout(LAST);
    done
}

/// How the simulated phones behave: by a seed, by a file, else by their digits.
fn simulated(mix: Option<u64>, script: Option<&std::path::Path>) -> Result<(Behaviour, Faults), CliError> {
    let Some(path) = script else { return Ok((mix.map_or(Behaviour::Digits, |seed| Behaviour::Mix { seed }), Faults::default())) };
    let text = std::fs::read_to_string(path).map_err(|e| CliError::Failed(format!("cannot read {}: {e}", path.display())))?;
    let script = Script::parse(&text).map_err(|e| CliError::Usage(format!("{}: {e}", path.display())))?;
    let faults = script.faults.clone();
    Ok((Behaviour::Script(Box::new(script)), faults))
}

fn run_simulate(config: SimulatorConfig, speed: f64) -> Result<(), CliError> {
    let at = config.listen;
    if !at.ip().is_loopback() {
        return Err(CliError::Usage("the simulator listens on loopback only".to_owned()));
    }
    let runtime = runtime()?;
    runtime.block_on(async {
        let (key, secret) = (config.api_key.clone(), config.api_secret.clone());
        let (account, token) = (config.twilio_account.clone(), config.twilio_token.clone());
        let clock: SharedClock = Arc::new(ScaledClock::from_now(speed));
        let simulator = Simulator::start(config, clock)
            .await
            .map_err(|e| CliError::Failed(format!("cannot listen on {at}: {e}. Choose another address with --listen ADDR")))?;
        let url = simulator.url();
        tell!("LIVEKIT_HOST={url}\nLIVEKIT_API_KEY={key}\nLIVEKIT_API_SECRET={secret}");
        tell!("TWILIO_ACCOUNT_SID={account}\nTWILIO_AUTH_TOKEN={token}\nDIALDECK_TWILIO__API_URL={url}");
        tell!("a simulated LiveKit with SIP and an agent worker, and Twilio's calls; Ctrl-C ends it");
        wait_for_end().await
    })
}
