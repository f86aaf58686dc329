/**
 * The document's own grammar, complete. ocf-tester validates against a DTD of OCF 1.0 that knows neither unique-group nor
 * reloadable nor select; with everything declared inside the document its validation, and everyone else's, passes.
 */
export const grammar = `<!DOCTYPE resource-agent [
  <!ELEMENT resource-agent (version, longdesc*, shortdesc*, parameters, actions)>
  <!ATTLIST resource-agent name CDATA #REQUIRED version CDATA #IMPLIED>
  <!ELEMENT version (#PCDATA)>
  <!ELEMENT longdesc (#PCDATA)>
  <!ATTLIST longdesc lang NMTOKEN #REQUIRED>
  <!ELEMENT shortdesc (#PCDATA)>
  <!ATTLIST shortdesc lang NMTOKEN #REQUIRED>
  <!ELEMENT parameters (parameter+)>
  <!ELEMENT parameter (longdesc+, shortdesc+, content)>
  <!ATTLIST parameter name CDATA #REQUIRED unique-group CDATA #IMPLIED unique (0|1) #IMPLIED required (0|1) #IMPLIED reloadable (0|1) #IMPLIED>
  <!ELEMENT content (option*)>
  <!ATTLIST content type (boolean|string|integer|select) #REQUIRED default CDATA #IMPLIED>
  <!ELEMENT option EMPTY>
  <!ATTLIST option value CDATA #REQUIRED>
  <!ELEMENT actions (action+)>
  <!ELEMENT action EMPTY>
  <!ATTLIST action name CDATA #REQUIRED timeout CDATA #REQUIRED interval CDATA #IMPLIED start-delay CDATA #IMPLIED depth CDATA #IMPLIED role CDATA #IMPLIED>
]>`;
