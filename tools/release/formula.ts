/**
 * The Homebrew formula that installs a release's binaries (https://docs.brew.sh/Formula-Cookbook).
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };

/**
 * Makes the formula.
 *
 * @param digestOf the SHA-256 digest of a file of the release, in hexadecimal.
 */
export function formula(digestOf: (file: string) => string): string {
  const { version, license, repository } = config;
  const archive = (platform: string) => {
    const file = `klatch-${platform}.tar.gz`;
    return `url "${repository}/releases/download/v${version}/${file}"\n      sha256 "${digestOf(file)}"`;
  };
  return `class Klatch < Formula
  desc "Run a command under a lock kept in a Kubernetes cluster"
  homepage "${repository}"
  version "${version}"
  license "${license}"

  on_macos do
    on_arm do
      ${archive("darwin-arm64")}
    end
    on_intel do
      ${archive("darwin-x64")}
    end
  end
  on_linux do
    on_arm do
      ${archive("linux-arm64")}
    end
    on_intel do
      ${archive("linux-x64")}
    end
  end

  def install
    bin.install "klatch"
    man1.install "klatch.1"
    bash_completion.install "klatch.bash" => "klatch"
    zsh_completion.install "_klatch"
    fish_completion.install "klatch.fish"
  end

  test do
    assert_equal "klatch #{version}", shell_output("#{bin}/klatch version").strip
  end
end
`;
}
