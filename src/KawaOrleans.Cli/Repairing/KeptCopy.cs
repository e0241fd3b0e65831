using System.Globalization;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Cli.Repairing;

/// <summary>Copies of files, synced before anyone relies on them.</summary>
internal static class KeptCopy
{
    private const int StepBytes = 1024 * 1024;

    /// <summary>Keeps the original: under the data directory's <c>aside/</c>, or beside the file if it lies in none.</summary>
    public static string Aside(string path, string? dataDirectory)
    {
        var volume = DiskVolume.Instance;
        var folder = dataDirectory is null ? Path.GetDirectoryName(path)! : Path.Combine(dataDirectory, Storage.Nodes.AsideFolder.Name);
        volume.CreateDirectory(folder);
        var prefix = dataDirectory is null ? "" : Path.GetFileName(Path.GetDirectoryName(path)) + "-";
        var name = $"{prefix}{Path.GetFileName(path)}.before-repair";
        var target = Path.Combine(folder, name);
        for (var copy = 2; volume.Exists(target); copy++)
        {
            target = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{copy}"));
        }

        Make(path, target);
        return target;
    }

    public static void Make(string from, string to)
    {
        var volume = DiskVolume.Instance;
        using (var source = volume.Open(from, writable: false))
        {
            var length = source.Length;
            using var copy = volume.Create(to, length, Preparation.Allocated);
            var step = new byte[StepBytes];
            for (var offset = 0L; offset < length;)
            {
                var read = source.Read(offset, step);
                if (read == 0)
                {
                    throw new IOException($"{from}: it ended at {offset} of {length} bytes while it was copied.");
                }

                copy.Write(offset, step.AsSpan(0, read));
                offset += read;
            }

            copy.Sync();
        }

        volume.SyncDirectory(Path.GetDirectoryName(to)!);
    }
}
