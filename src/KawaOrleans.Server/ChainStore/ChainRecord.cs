namespace KawaOrleans.Server.ChainStore;

/// <summary>What the chain store keeps of one record: bytes that mean the same whatever serializer a storage provider brings.</summary>
[GenerateSerializer, Alias("kawa.chain-record")]
internal sealed class ChainRecord
{
    /// <summary>The MemoryPack bytes of a chain or of the catalogue; empty when there is no record.</summary>
    [Id(0)]
    public byte[] Content { get; set; } = [];
}
