namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>A folder on the disk under test that goes with the run.</summary>
internal sealed class Scratch : IDisposable
{
    private int _made;

    public Scratch()
    {
        Root = Path.GetFullPath(Path.Combine("artifacts", $"benchmarks-{Environment.ProcessId}"));
        Directory.CreateDirectory(Root);
    }

    public string Root { get; }

    /// <summary>A new, empty folder.</summary>
    public string Folder(string name)
    {
        var path = Path.Combine(Root, $"{_made++}-{name}");
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>Removes a folder before the run ends, to leave room for the next.</summary>
    public static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose() => Remove(Root);
}
