using System.Buffers.Binary;
using System.Text;

namespace KawaOrleans.Client;

/// <summary>Names met lately, so that one that comes again costs a comparison. Bounded: a name displaces the one in its place.</summary>
internal sealed class RecentNames(int entriesLog2)
{
    private readonly string?[] _names = new string?[1 << entriesLog2];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        ref var name = ref _names[Place(utf8)];

        // A name beyond ASCII is never equal here, and decoded each time.
        if (name is null || !Ascii.Equals(utf8, name))
        {
            name = Encoding.UTF8.GetString(utf8);
        }

        return name;
    }

    /// <summary>From the length and the ends, where names differ; all of a short one.</summary>
    private uint Place(ReadOnlySpan<byte> utf8)
    {
        ulong first = 0, last = 0;
        if (utf8.Length >= sizeof(ulong))
        {
            first = BinaryPrimitives.ReadUInt64LittleEndian(utf8);
            last = BinaryPrimitives.ReadUInt64LittleEndian(utf8[^sizeof(ulong)..]);
        }
        else
        {
            foreach (var character in utf8)
            {
                first = (first << 8) | character;
            }
        }

        return unchecked((uint)((((first ^ (uint)utf8.Length) * 0x9E3779B97F4A7C15) ^ (last * 0xC2B2AE3D27D4EB4F)) >> (64 - entriesLog2)));
    }
}
