//! Which files name which files. Paths are resolved to the files that define them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::RandomState;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::house::source::{Module, SourceFile};

/// The files of the workspace, and the files that each names.
pub struct Imports<'f> {
    files: BTreeMap<&'f [String], &'f SourceFile>,
    named: BTreeMap<&'f [String], BTreeSet<&'f [String]>>,
}

impl<'f> Imports<'f> {
    /// The imports of `files`, without files that only tests compile.
    pub fn new(files: &'f [SourceFile]) -> Self {
        let files = files.iter().filter(|file| !file.is_test);
        let files: BTreeMap<_, _> = files.map(|file| (file.module.as_slice(), file)).collect();
        let mut imports = Self { files, named: BTreeMap::new() };
        let named = imports.files.iter().map(|(module, file)| {
            let targets = file.paths.iter().filter_map(|path| imports.target(path, module));
            (*module, targets.filter(|target| target != module).collect())
        });
        imports.named = named.collect();
        imports
    }

    /// The rooms that each room's files name. Files of the root count as rooms.
    pub fn rooms(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (module, targets) in &self.named {
            let Some(room) = room(module) else { continue };
            let named = targets.iter().filter_map(|target| room_of_package(target, "tidings"));
            rooms.entry(room).or_default().extend(named);
        }
        for (room, named) in &mut rooms {
            named.remove(room);
        }
        rooms
    }

    /// Groups of two or more files of `package` that name one another, directly or through others.
    pub fn circles(&self, package: &str) -> Vec<Vec<&'f str>> {
        let mut graph: DiGraphMap<&[String], (), RandomState> = DiGraphMap::default();
        for (module, targets) in self.named.iter().filter(|(module, _)| module[0] == package) {
            for target in targets.iter().filter(|target| target[0] == package) {
                graph.add_edge(*module, *target, ());
            }
        }
        let circles = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1);
        let paths = |circle: Vec<&'f [String]>| {
            circle.iter().map(|module| self.files[module].path.as_str()).collect()
        };
        circles.map(paths).collect()
    }

    /// The file that defines `path`, seen from `module`; `None` if a library does.
    fn target(&self, path: &[String], module: &[String]) -> Option<&'f [String]> {
        let whole = self.absolute(path, module)?;
        self.file_of(&self.followed(whole, 0))
    }

    /// The absolute path of `path`, with its package.
    fn absolute(&self, path: &[String], module: &[String]) -> Option<Module> {
        let joined = |module: &[String], rest: &[String]| [module, rest].concat();
        match path[0].as_str() {
            "crate" => Some(joined(&module[..1], &path[1..])),
            "self" => Some(joined(module, &path[1..])),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Some(joined(&module[..module.len().saturating_sub(up).max(1)], &path[up..]))
            }
            "tidings" | "tidings_rules" => Some(path.to_vec()),
            _ => {
                let child = joined(module, &path[..1]);
                self.files.contains_key(child.as_slice()).then(|| joined(module, path))
            }
        }
    }

    /// `path` with every re-export replaced by its definition.
    fn followed(&self, path: Module, steps: usize) -> Module {
        for cut in (1..path.len()).rev() {
            let Some(file) = self.files.get(&path[..cut]) else { continue };
            let Some(export) = file.exports.get(&path[cut]) else { continue };
            let Some(whole) = self.absolute(export, &file.module).filter(|_| steps < 8) else {
                continue;
            };
            return self.followed([&whole[..], &path[cut + 1..]].concat(), steps + 1);
        }
        path
    }

    fn file_of(&self, path: &[String]) -> Option<&'f [String]> {
        let cuts = (1..=path.len()).rev();
        cuts.filter_map(|cut| self.files.get_key_value(&path[..cut]))
            .map(|(module, _)| *module)
            .next()
    }
}

/// The room of a module of the daemon's package; `None` for its root.
fn room(module: &[String]) -> Option<String> {
    room_of_package(module, "tidings")
}

fn room_of_package(module: &[String], package: &str) -> Option<String> {
    (module[0] == package).then(|| module.get(1).cloned()).flatten()
}
