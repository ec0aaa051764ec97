// In the bundle, in place of the package `bindings`, which better-sqlite3 asks where its native code is. That looks through a
// dozen folders and the stack of its caller, in each thread.

module.exports = () => require('better-sqlite3/build/Release/better_sqlite3.node');
