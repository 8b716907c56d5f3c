/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/query_asked.h"

#include <strings.h>

static bool get_value(const struct query_instance *asked, const struct cim_schema_property *property,
		      struct cim_value *value)
{
	const struct cim_instance *instance = ((const struct cim_asked *)asked)->instance;
	const struct cim_value *found = cim_instance_value(instance, property->name);

	if (!found || found->is_null)
		return false;
	*value = *found;
	return true;
}

static const struct query_instance *get_embedded(const struct query_instance *asked,
						 const struct cim_schema_property *property)
{
	const struct cim_asked *indication = (const struct cim_asked *)asked;

	if (indication->source && !strcasecmp(property->name, "SourceInstance"))
		return &indication->source->asked;
	if (indication->previous && !strcasecmp(property->name, "PreviousInstance"))
		return &indication->previous->asked;
	return NULL;
}

struct cim_asked cim_asked_make(const struct cim_instance *instance)
{
	return (struct cim_asked){ .asked = { instance ? instance->class : NULL, get_value, get_embedded },
				   .instance = instance };
}
