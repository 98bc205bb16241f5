//! The parsed sources of the workspace. Paths and re-exports of code that only tests compile are
//! left out; its functions and types are not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemFn, ItemUse, Meta, UseTree, Visibility};

/// The folders of sources, and the names by which other packages call them.
const PACKAGES: [(&str, &str); 2] = [("src", "tidings"), ("crates/rules/src", "tidings_rules")];

/// The folders of sources that no package is made of: tests, benches, fuzz targets, examples.
const FOLDERS_OF_TESTS: [&str; 5] =
    ["tests", "benches", "examples", "fuzz/src", "fuzz/fuzz_targets"];

/// The path of a module, its package first: `tidings`, `store`, `outbox`.
pub type Module = Vec<String>;

/// A file and its module.
pub struct SourceFile {
    /// Its path below the root.
    pub path: String,
    /// Its module.
    pub module: Module,
    /// Its text.
    pub text: String,
    /// The paths in its code, as they are written.
    pub paths: BTreeSet<Vec<String>>,
    /// Its re-exports: the name and the exported path.
    pub exports: BTreeMap<String, Vec<String>>,
    /// Its functions: name, first line, last line.
    pub functions: Vec<(String, usize, usize)>,
    /// The types that it defines, outside of traits and implementations.
    pub types: Vec<String>,
    /// Whether no package has it: tests, benches, fuzz targets and examples.
    pub is_test: bool,
}

/// Every file of the workspace.
pub fn files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let tests = FOLDERS_OF_TESTS.map(|folder| (folder, "tests"));
    for (folder, package) in PACKAGES.into_iter().chain(tests) {
        let mut paths = Vec::new();
        collect(&root.join(folder), &mut paths);
        assert!(!paths.is_empty(), "no sources were found in {folder}");
        files.extend(paths.iter().map(|path| read(root, path, folder, package)));
    }
    files
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read(root: &Path, path: &Path, folder: &str, package: &str) -> SourceFile {
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let path = path.strip_prefix(root).expect("below the root").display().to_string();
    parse(path, text, folder, package)
}

/// The file at `path` with that text.
pub fn parse(path: String, text: String, folder: &str, package: &str) -> SourceFile {
    let below = path.trim_start_matches(folder).trim_start_matches('/').trim_end_matches(".rs");
    let names = below.split('/').filter(|name| !["lib", "main"].contains(name));
    let module: Module = std::iter::once(package).chain(names).map(ToOwned::to_owned).collect();
    let is_test =
        module.iter().any(|name| name.starts_with("tests") || name.starts_with("fixture"));
    let mut visitor = SourceVisitor::default();
    visitor.visit_file(&syn::parse_file(&text).unwrap_or_else(|why| panic!("{path}: {why}")));
    let SourceVisitor { paths, exports, functions, types, .. } = visitor;
    SourceFile { path, module, text, paths, exports, functions, types, is_test }
}

#[derive(Default)]
struct SourceVisitor {
    paths: BTreeSet<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
    functions: Vec<(String, usize, usize)>,
    types: Vec<String>,
    /// Whether the visited code is for tests only.
    is_in_tests: bool,
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        other => other.path().is_ident("test"),
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

impl<'a> Visit<'a> for SourceVisitor {
    fn visit_item(&mut self, item: &'a Item) {
        let is_outside_in_tests = self.is_in_tests;
        self.is_in_tests |= is_for_tests(attributes(item));
        match item {
            Item::Struct(item) => self.types.push(item.ident.to_string()),
            Item::Enum(item) => self.types.push(item.ident.to_string()),
            Item::Trait(item) => self.types.push(item.ident.to_string()),
            Item::Type(item) => self.types.push(item.ident.to_string()),
            _ => {}
        }
        visit::visit_item(self, item);
        self.is_in_tests = is_outside_in_tests;
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if self.is_in_tests {
            return;
        }
        let mut leaves = Vec::new();
        leaves_of(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            if matches!(item.vis, Visibility::Inherited) {
                self.paths.insert(path);
            } else {
                self.exports.insert(name, path);
            }
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.segments.len() > 1 && !self.is_in_tests {
            self.paths.insert(path.segments.iter().map(|part| part.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    /// A visibility (`pub(in crate::room)`) uses nothing of the module that it names.
    fn visit_visibility(&mut self, _: &'a Visibility) {}

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        if !self.is_in_tests {
            self.tokens(call.tokens.clone());
        }
        visit::visit_macro(self, call);
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.function(&item.sig.ident.to_string(), item.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.function(&item.sig.ident.to_string(), item.span());
        visit::visit_impl_item_fn(self, item);
    }
}

impl SourceVisitor {
    fn function(&mut self, name: &str, span: proc_macro2::Span) {
        self.functions.push((name.to_owned(), span.start().line, span.end().line));
    }

    /// Paths in the input of a macro, which is known only as tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.end(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if path.len() > 1 {
            self.paths.insert(std::mem::take(path));
        }
        path.clear();
    }
}

/// The paths of a `use`, each with its local name.
fn leaves_of(tree: &UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    match tree {
        UseTree::Path(part) => {
            before.push(part.ident.to_string());
            leaves_of(&part.tree, before, leaves);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push((before.clone(), before.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => leaf(before, &name.ident.to_string(), &name.ident, leaves),
        UseTree::Rename(name) => leaf(before, &name.rename.to_string(), &name.ident, leaves),
        UseTree::Glob(_) => leaves.push((before.clone(), "*".to_owned())),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| leaves_of(tree, before, leaves));
        }
    }
}

fn leaf(
    before: &[String],
    known_as: &str,
    name: &syn::Ident,
    leaves: &mut Vec<(Vec<String>, String)>,
) {
    let path = before.iter().cloned().chain([name.to_string()]).collect();
    leaves.push((path, known_as.to_owned()));
}
