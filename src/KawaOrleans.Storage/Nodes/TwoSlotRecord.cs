using System.Buffers.Binary;
using System.IO.Hashing;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>A small record that is replaced often: two slots, written in turn in place, so that a change costs one sync of data and
/// the slot before stays whole until the next change. A file too small for its content is replaced as a whole.</summary>
/// <remarks>Both slots bear a number that grows; the whole one with the greater number counts. A slot cut short and a slot that
/// rotted look alike: the other one counts then.</remarks>
internal static class TwoSlotRecord
{
    private const int Number = 8;
    private const int Length = 16;
    private const int Content = 20;
    private const int PageBytes = 4096;
    private const string Unfinished = ".new";

    /// <summary>Replaces the content, synced.</summary>
    public static void Write(IVolume volume, string path, long number, ReadOnlySpan<byte> content)
    {
        if (volume.Exists(path))
        {
            using var file = volume.Open(path, writable: true);
            var slots = Slots.Of(file);
            if (slots.Newest is not null && Content + content.Length <= slots.SlotBytes)
            {
                file.Write(slots.Other * (long)slots.SlotBytes, Encode(number, content));
                file.Sync();
                return;
            }
        }

        // Twice the room, so that a growing content seldom comes here.
        var slotBytes = (Content + (2 * content.Length) + PageBytes - 1) / PageBytes * PageBytes;
        volume.Delete(path + Unfinished);
        using (var file = volume.Create(path + Unfinished, 2 * slotBytes, Preparation.WrittenThrough))
        {
            file.Write(0, Encode(number, content));
            file.Sync();
        }

        volume.Rename(path + Unfinished, path);
        volume.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>The content, or null when there is no such file.</summary>
    /// <exception cref="SegmentDamagedException">Neither slot is what was written.</exception>
    public static byte[]? Read(IVolume volume, string path)
    {
        if (!volume.Exists(path))
        {
            return null;
        }

        using var file = volume.Open(path, writable: false);
        return Slots.Of(file).Newest ?? throw new SegmentDamagedException(path, 0, "neither slot of the record verifies");
    }

    /// <summary>The same, and certainly on disk: after a failed sync the page cache shows as clean what the disk never took.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static byte[]? ReadDurably(IVolume volume, string path)
    {
        if (!volume.Exists(path))
        {
            return null;
        }

        using var file = volume.Open(path, writable: true);
        var slots = Slots.Of(file);
        if (slots.Newest is { } newest)
        {
            file.Write((1 - slots.Other) * (long)slots.SlotBytes, Encode(slots.NewestNumber, newest));
            file.Sync();
            return newest;
        }

        throw new SegmentDamagedException(path, 0, "neither slot of the record verifies");
    }

    private static byte[] Encode(long number, ReadOnlySpan<byte> content)
    {
        var slot = new byte[Content + content.Length];
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(Number), number);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(Length), content.Length);
        content.CopyTo(slot.AsSpan(Content));
        BinaryPrimitives.WriteUInt64LittleEndian(slot, XxHash3.HashToUInt64(slot.AsSpan(Number)));
        return slot;
    }

    /// <summary>What the two slots hold.</summary>
    private sealed record Slots(byte[]? Newest, long NewestNumber, int Other, int SlotBytes)
    {
        public static Slots Of(IVolumeFile file)
        {
            var bytes = new byte[file.Length];
            bytes = bytes[..file.Read(0, bytes)];
            var slotBytes = bytes.Length / 2;
            var first = Decode(bytes.AsSpan(0, slotBytes));
            var second = Decode(bytes.AsSpan(slotBytes));
            return first is { } f && !(second?.Number > f.Number)
                ? new Slots(f.Content, f.Number, Other: 1, slotBytes)
                : new Slots(second?.Content, second?.Number ?? 0, Other: 0, slotBytes);
        }

        private static (long Number, byte[] Content)? Decode(ReadOnlySpan<byte> slot)
        {
            if (slot.Length < TwoSlotRecord.Content)
            {
                return null;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(slot[TwoSlotRecord.Length..]);
            return length >= 0 && length <= slot.Length - TwoSlotRecord.Content
                && XxHash3.HashToUInt64(slot[Number..(TwoSlotRecord.Content + length)]) == BinaryPrimitives.ReadUInt64LittleEndian(slot)
                ? (BinaryPrimitives.ReadInt64LittleEndian(slot[Number..]), slot.Slice(TwoSlotRecord.Content, length).ToArray())
                : null;
        }
    }
}
