using System.Text.RegularExpressions;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>The rules decide the same whenever, wherever and however often they are asked: that is what makes them simulable.</summary>
public partial class ProtocolPurityTests
{
    private static readonly string[] AllowedNamespaces =
    [
        "System.Buffers.Binary", "System.Collections.Concurrent", "System.IO.Hashing", "System.Text", "MemoryPack",
    ];

    private static readonly HashSet<string> Forbidden = new(StringComparer.Ordinal)
    {
        // Orleans, beyond the attributes of its serializer.
        "Orleans", "Grain", "GrainId", "IGrainFactory", "IGrain", "IGrainStorage", "SiloAddress", "RequestContext",
        // Clocks and waits.
        "DateTime", "DateTimeOffset", "TimeProvider", "Stopwatch", "TimeSpan", "Timer", "PeriodicTimer", "Delay", "Sleep", "Environment", "TickCount64",
        // Files and the machine.
        "File", "Directory", "Path", "FileStream", "RandomAccess", "Process", "Console", "Socket",
        // Randomness.
        "Random", "NewGuid", "CreateVersion7", "RandomNumberGenerator", "HashCode", "GetHashCode",
        // Threads: a simulation has one.
        "Thread", "ThreadPool", "Run", "Parallel", "ConfigureAwait",
    };

    [Fact]
    public void The_rules_know_no_Orleans_no_clock_no_file_and_no_randomness()
    {
        var files = Directory.GetFiles(Folder(), "*.cs");
        Assert.True(files.Length > 15, $"Only {files.Length} files in {Folder()}.");
        var breaches = new List<string>();
        foreach (var file in files)
        {
            var source = File.ReadAllText(file);
            breaches.AddRange(Usings().Matches(source).Select(match => match.Groups[1].Value)
                .Where(name => !AllowedNamespaces.Contains(name)).Select(name => $"{Path.GetFileName(file)}: using {name}"));
            breaches.AddRange(Identifiers().Matches(Noise().Replace(source, " ")).Select(match => match.Value)
                .Where(Forbidden.Contains).Select(name => $"{Path.GetFileName(file)}: {name}"));
        }

        Assert.Empty(breaches);
    }

    [Theory]
    [InlineData("var id = Guid.NewGuid();", "NewGuid")]
    [InlineData("await Task.Delay(1); // later", "Delay")]
    public void The_check_sees_what_is_forbidden(string source, string found) =>
        Assert.Contains(found, Identifiers().Matches(Noise().Replace(source, " ")).Select(match => match.Value).Where(Forbidden.Contains));

    private static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KawaOrleans.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests do not lie in the repository.");
        }

        return Path.Combine(folder.FullName, "src", "KawaOrleans.Server", "Protocol");
    }

    [GeneratedRegex(@"^\s*(?:global\s+)?using\s+(?:static\s+)?([A-Za-z0-9_.]+)\s*;", RegexOptions.Multiline)]
    private static partial Regex Usings();

    // Comments and the text of strings; what is interpolated into a string is rare enough to be read by people.
    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|""(?:\\.|[^""\\])*""", RegexOptions.Singleline)]
    private static partial Regex Noise();

    [GeneratedRegex(@"\b[A-Za-z_][A-Za-z0-9_]*\b")]
    private static partial Regex Identifiers();
}
