use super::{colours::contrast, *};

const DEPTHS: [Depth; 4] = [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True];

fn shipped() -> impl Iterator<Item = Theme> {
    BUILT_IN.iter().map(|(name, text)| Theme::parse(name, text, Depth::True).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn every_built_in_theme_reads_at_every_depth() {
    for (name, text) in BUILT_IN {
        for depth in DEPTHS {
            let theme = Theme::parse(name, text, depth).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(theme.mono, depth == Depth::None || name == "mono");
            assert_eq!(theme.complaints(), Vec::<String>::new(), "{name} {depth:?}");
        }
    }
}

#[test]
fn sixteen_colours_keep_three_states_apart_whatever_their_shades() {
    for (name, text) in BUILT_IN.into_iter().filter(|(n, _)| *n != "mono") {
        let theme = Theme::parse(name, text, Depth::Ansi16).unwrap();
        for three in [["success", "warn", "error"], ["state_running", "state_paused", "state_error"]] {
            let three = three.map(|r| theme.color(r));
            assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2], "{name}: {three:?}");
        }
    }
    let own = Theme::parse("x", "[roles]\nsuccess = \"#00ff00\"\n[ansi16]\nsuccess = \"blue\"", Depth::Ansi16).unwrap();
    assert_eq!(own.color("success"), Some(Color::Blue), "what the theme says itself goes first");
}

/// Interested, callback and voicemail were one cyan, and "wrong number" the red of "do not call".
#[test]
fn sixteen_colours_tell_outcomes_apart() {
    for name in ["dark", "light"] {
        let theme = Theme::parse(name, built_in(name).unwrap(), Depth::Ansi16).unwrap();
        let six = ["interested", "not_interested", "callback", "do_not_call", "voicemail", "wrong_number"];
        let found: std::collections::HashSet<_> = six.iter().map(|o| theme.color(&format!("outcome_{o}"))).collect();
        assert!(found.len() >= 5, "{name}: {found:?}");
        assert_ne!(theme.color("outcome_do_not_call"), theme.color("outcome_wrong_number"), "{name}");
    }
}

#[test]
fn of_256_colours_frames_and_the_selected_row_are_greys() {
    let theme = Theme::parse("dark", built_in("dark").unwrap(), Depth::Ansi256).unwrap();
    for role in ["border", "selection_bg", "text_faint"] {
        assert!(matches!(theme.color(role), Some(Color::Indexed(232..))), "{role}: {:?}", theme.color(role));
    }
    assert_eq!(theme.color("outcome_interested"), Some(Color::Indexed(79)), "what has a colour keeps it");
}

#[test]
fn a_broken_theme_says_its_line_and_never_stops_a_start() {
    let why = |text: &str| Theme::parse("x", text, Depth::True).unwrap_err().to_string();
    assert!(why("[roles]\n\ntext = \"#zzz\"").contains("line 3: role text"), "{}", why("[roles]\n\ntext = \"#zzz\""));
    assert!(why("[meta]\nschema = 2").contains("line 2: its schema is newer"));
    assert!(why("[roles]\ntext = ").contains("line 2"), "{}", why("[roles]\ntext = "));
    assert!(why("[roles]\ntext = { fg = \"red\", wavy = true }").contains("wavy is no modifier"));
    assert_eq!(load("nope", Path::new("/nonexistent"), Depth::True).name, "dark");
    let theme = Theme::parse("x", "[meta]\ncolor = 1\n[roles]\ntex = \"red\"\n[symbols]\nrun = \">\"\n[more]", Depth::True).unwrap();
    let complaints = theme.complaints();
    for part in ["line 2: color means nothing", "line 4: tex is no role", "line 6: run is no symbol", "[more] means nothing"] {
        assert!(complaints.iter().any(|c| c.contains(part)), "{part}: {complaints:?}");
    }
}

#[test]
fn roles_are_written_in_five_ways_and_fall_back_to_what_they_mean() {
    let text = "[palette]\nleaf = \"#102030\"\n[roles]\nsuccess = \"leaf\"\nwarn = \"yellow\"\nerror = 196\nbg = \"default\"\n\
                info = { fg = \"#ffffff\", bg = \"leaf\", bold = true, underline = true }";
    let theme = Theme::parse("x", text, Depth::True).unwrap();
    assert_eq!(theme.color("call_answered"), Some(Color::Rgb(16, 32, 48)), "call_answered, state_running, success");
    assert_eq!(
        (theme.color("state_paused"), theme.color("call_failed"), theme.color("bg")),
        (Some(Color::Yellow), Some(Color::Indexed(196)), Some(Color::Reset))
    );
    let info = theme.style("info");
    assert_eq!((info.bg, info.add_modifier), (Some(Color::Rgb(16, 32, 48)), Modifier::BOLD | Modifier::UNDERLINED));
    let dark = Theme::parse("dark", built_in("dark").unwrap(), Depth::True).unwrap();
    assert_eq!(theme.color("text"), dark.color("text"), "what nothing names is the built-in's");
    let light = Theme::parse("x", "[meta]\nappearance = \"light\"", Depth::True).unwrap();
    assert_eq!(light.color("text"), Theme::parse("light", built_in("light").unwrap(), Depth::True).unwrap().color("text"));
}

#[test]
fn a_theme_stands_on_another_and_never_on_itself() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    put("dark", "[meta]\ninherits = \"dark\"\n[palette]\nleaf = \"#010203\"\n[symbols]\nrunning = \"▶\"");
    let own = find("dark", dir.path(), Depth::True).unwrap();
    assert_eq!(own.color("success"), Some(Color::Rgb(1, 2, 3)), "the user's file goes first, and its palette colours what it stands on");
    assert_eq!((own.color("text"), own.symbols.running.as_ref()), (Theme::parse("dark", built_in("dark").unwrap(), Depth::True).unwrap().color("text"), "▶"));
    put("a", "[meta]\ninherits = \"b\"");
    put("b", "[meta]\ninherits = \"a\"");
    assert!(find("a", dir.path(), Depth::True).unwrap_err().to_string().contains("stands on itself"));
    for i in 0..6 {
        put(&format!("t{i}"), &format!("[meta]\ninherits = \"t{}\"", i + 1));
    }
    put("t6", "");
    assert!(find("t0", dir.path(), Depth::True).unwrap_err().to_string().contains("more than 4"));
    assert!(find("t3", dir.path(), Depth::True).is_ok());
    put("c", "[meta]\ninherits = \"nobody\"");
    assert!(find("c", dir.path(), Depth::True).unwrap_err().to_string().contains("nobody"));
    assert!(matches!(find("../../etc/passwd", dir.path(), Depth::True), Err(ThemeError::Unknown(_))));
}

#[test]
fn a_file_that_changes_is_read_again_and_a_broken_one_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("night.toml");
    let put = |text: &str, second: u64| {
        std::fs::write(&path, text).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 + second);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    };
    put("[roles]\ntext = \"red\"", 0);
    let mut watched = Watched::new("night", dir.path());
    assert!(watched.look(Depth::True).is_none());
    put("[roles]\ntext = \"blue\"", 1);
    assert_eq!(watched.look(Depth::True).unwrap().unwrap().color("text"), Some(Color::Blue));
    put("[roles]\ntext = \"blu\"", 2);
    assert!(watched.look(Depth::True).unwrap().unwrap_err().to_string().contains("line 2"));
    assert!(watched.look(Depth::True).is_none());
}

/// The arithmetic of what is shipped.
mod arithmetic {
    use super::*;

    /// Red, green and blue as eyes see them that lack a cone (Machado 2009, complete), in linear light.
    const BLIND: [(&str, [[f64; 3]; 3]); 3] = [
        ("protan", [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]]),
        ("deutan", [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]]),
        ("tritan", [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]]),
    ];

    fn linear(color: Color) -> [f64; 3] {
        let Color::Rgb(r, g, b) = color else { panic!("{color:?} is the terminal's own") };
        [r, g, b].map(|v| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(m: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
        [0, 1, 2].map(|i| m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2])
    }

    fn oklab(v: [f64; 3]) -> [f64; 3] {
        const LMS: [[f64; 3]; 3] = [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ];
        const LAB: [[f64; 3]; 3] = [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ];
        times(&LAB, times(&LMS, v.map(|x| x.clamp(0.0, 1.0))).map(f64::cbrt))
    }

    /// The least distance of two of these for any such eye, and which they are.
    fn apart(theme: &Theme, roles: &[&str]) -> (f64, String) {
        let mut worst = (f64::MAX, String::new());
        for (eye, matrix) in &BLIND {
            let seen: Vec<[f64; 3]> = roles.iter().map(|r| oklab(times(matrix, linear(theme.color(r).unwrap())))).collect();
            for i in 0..seen.len() {
                for j in 0..i {
                    let d = (0..3).map(|k| (seen[i][k] - seen[j][k]).powi(2)).sum::<f64>().sqrt() * 100.0;
                    if d < worst.0 {
                        worst = (d, format!("{} {} and {} for {eye}", theme.name, roles[j], roles[i]));
                    }
                }
            }
        }
        worst
    }

    fn colourful() -> impl Iterator<Item = Theme> {
        shipped().filter(|t| !t.mono)
    }

    fn on(theme: &Theme, role: &str, ground: &str) -> f64 {
        contrast(theme.color(role).unwrap(), theme.color(ground).unwrap()).unwrap()
    }

    #[test]
    fn text_is_read_on_what_it_stands_on() {
        for theme in colourful() {
            let most = if theme.name == "high-contrast" { 7.0 } else { 4.5 };
            for ground in ["bg", "surface", "overlay"] {
                assert!(on(&theme, "text", ground) >= 7.0 && on(&theme, "title", ground) >= 7.0, "{} text on {ground}", theme.name);
                for role in roles::READ {
                    let ratio = on(&theme, role, ground);
                    assert!(ratio >= most, "{} {role} on {ground}: {ratio:.2}", theme.name);
                }
            }
            for (text, ground) in
                [("banner_fg", "banner_bg"), ("danger_fg", "danger_bg"), ("selection_fg", "selection_bg"), ("selection_inactive_fg", "selection_inactive_bg")]
            {
                assert!(on(&theme, text, ground) >= 4.5, "{} {text}", theme.name);
            }
            for (role, ground) in [("border", "bg"), ("border", "overlay"), ("border_focus", "overlay"), ("gauge_filled", "bg"), ("spark", "bg")] {
                assert!(on(&theme, role, ground) >= 3.0, "{} {role} on {ground}: {:.2}", theme.name, on(&theme, role, ground));
            }
        }
    }

    #[test]
    fn the_selected_row_is_read_too() {
        for theme in colourful().filter(|t| !t.selection_recolours) {
            for role in roles::READ.iter().filter(|r| r.starts_with("state_") || r.starts_with("call_") || r.starts_with("outcome_")) {
                let ratio = on(&theme, role, "selection_bg");
                assert!(ratio >= 4.5, "{} {role} on the selected row: {ratio:.2}", theme.name);
            }
        }
    }

    /// Good, doubtful and bad are three for every eye; what else is told by colour is told by glyph and word as well.
    #[test]
    fn colours_that_tell_are_told_apart_by_every_eye() {
        for theme in colourful() {
            let safe = theme.name == "colour-safe";
            let (least, states, outcomes) = if safe { (10.0, 10.0, 10.0) } else { (8.0, 3.5, 3.5) };
            let three = apart(&theme, &["success", "warn", "error"]);
            assert!(three.0 >= least, "{three:?}");
            let of = apart(&theme, &["state_idle", "state_running", "state_paused", "state_completed", "state_error"]);
            assert!(of.0 >= states, "{of:?}");
            let six = ["interested", "not_interested", "callback", "do_not_call", "voicemail", "wrong_number"].map(|o| format!("outcome_{o}"));
            let of = apart(&theme, &six.each_ref().map(String::as_str));
            assert!(of.0 >= outcomes, "{of:?}");
        }
    }
}
