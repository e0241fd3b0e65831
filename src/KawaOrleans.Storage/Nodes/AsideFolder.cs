using System.Text;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>Where a node puts files that no chain lists any more, or that a good copy replaces: kept, not erased, until the operator frees them.</summary>
internal sealed class AsideFolder(IVolume volume, string directory)
{
    public const string Name = "aside";

    /// <summary>Moves a file there, beside a note that says why. The note comes before anything else: without room for it the file stays as it is,
    /// and a later try can move it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logId">Its log.</param>
    /// <param name="reason">Why it goes.</param>
    /// <param name="beforeMove">Closes it.</param>
    /// <exception cref="DiskFullException">No room for the note.</exception>
    public void Move(string path, Guid logId, string reason, Action beforeMove)
    {
        var aside = Path.Combine(directory, Name);
        volume.CreateDirectory(aside);
        var target = Path.Combine(aside, $"{logId:N}-{Path.GetFileName(path)}");
        for (var copy = 2; volume.Exists(target); copy++)
        {
            target = Path.Combine(aside, $"{logId:N}-{Path.GetFileName(path)}.{copy}");
        }

        SyncedRecord.Write(volume, target + ".why", Encoding.UTF8.GetBytes(reason));
        beforeMove();
        volume.Rename(path, target);
        volume.SyncDirectory(aside);
    }
}
