using System.Text.Json;

namespace KawaOrleans.Benchmarks.Engine.Peers;

/// <summary>Another store, opened in an empty folder; each as its own documentation advises for the case at hand.</summary>
internal interface IPeer : IDisposable
{
    string Name { get; }

    /// <summary>Appends batches, each durable before the next begins.</summary>
    void AppendDurably(BodySize size, int batches);
}

/// <summary>Whether a peer can be used here at all.</summary>
/// <param name="Name">The peer.</param>
/// <param name="Version">Its version, or why it cannot be used.</param>
/// <param name="IsAvailable">False when its native library does not load.</param>
internal sealed record PeerPresence(string Name, string Version, bool IsAvailable)
{
    /// <summary>The version a package was restored in, from the list that the build leaves beside the program: not every assembly
    /// bears its package's version.</summary>
    public static string PackageVersion(string package)
    {
        var list = Path.Combine(AppContext.BaseDirectory, $"{typeof(PeerPresence).Assembly.GetName().Name}.deps.json");
        using var dependencies = JsonDocument.Parse(File.ReadAllBytes(list));
        return dependencies.RootElement.GetProperty("libraries").EnumerateObject()
            .Select(library => library.Name.Split('/'))
            .First(name => name[0] == package)[1];
    }

    public static PeerPresence Probe(string name, Func<string> version)
    {
        try
        {
            return new PeerPresence(name, version(), IsAvailable: true);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or BadImageFormatException or EntryPointNotFoundException or FileNotFoundException or PlatformNotSupportedException)
        {
            return new PeerPresence(name, $"not measured: {(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}", IsAvailable: false);
        }
    }
}
