/**
 * What `klatch version --licenses` prints: the software that is part of klatch, and under which licenses.
 *
 * @module
 */
import { VERSION } from "../version.ts";

/** Software that is part of klatch. */
export interface License {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** The license's text; empty if the software comes without one. */
  readonly text: string;
}

const DENO_TEXT = `MIT License

Copyright 2018-2026 the Deno authors

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const V8_TEXT = `Copyright 2014, the V8 project authors. All rights reserved.
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are
met:

    * Redistributions of source code must retain the above copyright
      notice, this list of conditions and the following disclaimer.
    * Redistributions in binary form must reproduce the above
      copyright notice, this list of conditions and the following
      disclaimer in the documentation and/or other materials provided
      with the distribution.
    * Neither the name of Google Inc. nor the names of its
      contributors may be used to endorse or promote products derived
      from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
"AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT
OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT
LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY
THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;

/**
 * Lists the runtime, its JavaScript engine and the npm packages, each with its license's text.
 *
 * @param runtime the versions of the runtime that runs klatch, as `Deno.version` has them.
 * @returns text for a terminal; it ends with a line feed.
 */
export async function licensesText(runtime: { readonly deno: string; readonly v8: string }): Promise<string> {
  // Loaded only now: nothing else needs it.
  const { default: packages } = await import("./licenses.json", { with: { type: "json" } });
  const all: License[] = [
    { name: "Deno", version: runtime.deno, license: "MIT", text: DENO_TEXT },
    { name: "V8", version: runtime.v8, license: "BSD-3-Clause", text: V8_TEXT },
    ...packages,
  ];
  return [
    `klatch ${VERSION}, licensed under Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0), contains:\n`,
    ...all.map(({ name, version, license }) => `  ${name} ${version} (${license})\n`),
    "\nDeno contains Rust crates of its own; its Cargo.lock lists them:\n",
    `  https://github.com/denoland/deno/blob/v${runtime.deno}/Cargo.lock\n`,
    ...all.filter(({ text }) => text !== "").map(({ name, text }) => `\n--- ${name} ---\n\n${text}\n`),
  ].join("");
}
