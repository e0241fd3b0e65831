using System.Diagnostics;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>Whether a server can be run here.</summary>
/// <param name="Name">The server.</param>
/// <param name="Program">Where its program lies; null when it is not installed.</param>
/// <param name="Version">Its version, or why it cannot be run.</param>
internal sealed record ServerPresence(string Name, string? Program, string Version)
{
    /// <param name="name">The server.</param>
    /// <param name="program">Its program's name.</param>
    /// <param name="package">The Debian package that brings it.</param>
    /// <param name="folders">Where to look besides the search path, the best first.</param>
    public static ServerPresence Find(string name, string program, string package, params IEnumerable<string> folders)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Concat(folders)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
        return found is null
            ? new ServerPresence(name, null, $"skipped: {program} is not installed (apt-get install {package})")
            : new ServerPresence(name, found, VersionOf(found));
    }

    private static string VersionOf(string program)
    {
        using var process = Process.Start(new ProcessStartInfo(program, "--version") { RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadLine() ?? "unknown version";
        process.WaitForExit();
        return line;
    }
}
